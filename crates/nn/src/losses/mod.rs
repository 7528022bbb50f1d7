//! Losses: what training makes small.

mod cross_entropy;
mod mse_loss;

pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use mse_loss::mse_loss;
