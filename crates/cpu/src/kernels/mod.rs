//! The kernels, in folders that mirror those of the operations.

pub(crate) mod cache_line;
#[cfg(test)]
pub(crate) mod conformance;
pub mod convolution;
pub(crate) mod elements;
pub mod elementwise;
pub mod gemm;
pub(crate) mod indexing;
pub(crate) mod movement;
pub(crate) mod random;
pub mod reduce;
pub(crate) mod reduction;
pub(crate) mod registry;
pub(crate) mod split;
pub(crate) mod whole;
pub mod window;
