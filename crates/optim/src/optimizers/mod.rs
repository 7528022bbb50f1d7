//! Optimizers.

mod adam;
mod adam_w;
mod averaged;
mod scaled;
mod sgd;

pub use adam::{Adam, AdamConfig};
pub use adam_w::{AdamW, AdamWConfig};
pub use averaged::Averaged;
pub use scaled::{Rate, Scaled};
pub use sgd::{Sgd, SgdConfig};
