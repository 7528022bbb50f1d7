//! Kernels of random numbers.

pub(crate) mod random_bits;
