//! Kernels of operations that move elements.

pub(crate) mod channels_last;
pub(crate) mod concatenate;
pub(crate) mod pad;
pub(crate) mod transpose;
