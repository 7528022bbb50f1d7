//! Kernels of operations whose places are data.

mod boxes;
pub(crate) mod dynamic_slice;
pub(crate) mod dynamic_update_slice;
pub(crate) mod gather;
pub(crate) mod scatter;
pub(crate) mod sort;
pub(crate) mod top_k;
mod windows;
