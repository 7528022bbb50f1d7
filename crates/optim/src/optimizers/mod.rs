//! Optimizers.

mod adam;
mod adam_w;
mod sgd;

pub use adam::{Adam, AdamConfig};
pub use adam_w::{AdamW, AdamWConfig};
pub use sgd::{Sgd, SgdConfig};
