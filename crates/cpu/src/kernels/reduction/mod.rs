//! Kernels of operations that combine elements along axes.

pub(crate) mod arg_reduce;
