//! Optimizers.

mod adam;
mod adam_w;
mod scaled;
mod sgd;

pub use adam::{Adam, AdamConfig};
pub use adam_w::{AdamW, AdamWConfig};
pub use scaled::{Rate, Scaled};
pub use sgd::{Sgd, SgdConfig};
