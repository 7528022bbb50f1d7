//! The loop of training: steps, validation, checkpoints, early stopping, interruption and divergence.
//!
//! A task brings a [`Learner`]: its batches, its objective and its validation. [`fit`] does the rest, in the
//! same way for every task, so that any run can be killed at any moment and resumed to the same bits.

mod checkpoint;
mod divergence;
mod error;
mod fit;
mod learner;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use checkpoint::{load_model, read_model, save_model};
pub use error::TrainError;
pub use fit::{Ending, FitOptions, Fitted, Monitor, fit};
pub use learner::{Learner, Objective, ObjectiveFn};
pub use state::{Progression, State};
pub use step::compile_step;
