//! What can go wrong while training.

use gyrus_checkpoint::CheckpointError;
use gyrus_data::DataError;

use crate::record::RecordError;

/// What can go wrong while training. Each message names the file or the step, and a remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data could not be read.
    #[error(transparent)]
    Data(#[from] DataError),

    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),

    /// The record of the run could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),

    /// The loss is no number.
    #[error(
        "the loss is {loss} in step {step} (epoch {epoch}): the first bad tensor is {tensor}; the batch holds {}; \
         lower the learning rate, or look at these samples",
        some_of(samples)
    )]
    Diverged {
        /// The loss: NaN or infinite.
        loss: f64,
        /// The step, from 1.
        step: u64,
        /// The epoch, from 1.
        epoch: u64,
        /// The first tensor with an element that is not finite.
        tensor: String,
        /// Where the samples of the batch come from.
        samples: Vec<String>,
    },

    /// A checkpoint that does not belong to the run.
    #[error("{path}: {reason}; resume from a checkpoint that this version of gyrus wrote for this run")]
    Foreign {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// A list that a person can read.
fn some_of(samples: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = samples[..samples.len().min(SHOWN)].join(", ");
    match samples.len().saturating_sub(SHOWN) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}
