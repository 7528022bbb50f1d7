//! Training, and the record of it.

pub mod record;
pub mod trainer;
