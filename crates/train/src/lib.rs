//! Training, and the record of it.

extern crate gyrus_tensor as gyrus;

pub mod record;
pub mod trainer;
