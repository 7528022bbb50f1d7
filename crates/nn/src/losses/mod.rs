//! Losses: what training makes small.

mod cross_entropy;
mod dice;
mod mse_loss;

pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use dice::Dice;
pub use mse_loss::mse_loss;
