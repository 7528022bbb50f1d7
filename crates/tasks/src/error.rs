//! What can go wrong in a task.

use std::path::PathBuf;

use gyrus_checkpoint::CheckpointError;
use gyrus_data::{DataError, Report};
use gyrus_tensor::PjrtError;
use gyrus_train::record::RecordError;
use gyrus_train::trainer::TrainError;

/// What can go wrong in a task. The message names the file or key and a remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A command or setting that cannot be.
    #[error("{0}")]
    Usage(String),

    /// A configuration file with a mistake.
    #[error("{}{}: {reason}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Config {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong, and what would be right.
        reason: String,
    },

    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),

    /// Data that did not pass the gate.
    #[error("the data did not pass the checks:\n{0}")]
    Gate(Box<Report>),

    /// An accelerator that is not there, or does not work.
    #[error(transparent)]
    Device(#[from] PjrtError),

    /// Training went wrong.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl From<CheckpointError> for TaskError {
    fn from(error: CheckpointError) -> Self {
        TaskError::Train(error.into())
    }
}

impl From<RecordError> for TaskError {
    fn from(error: RecordError) -> Self {
        TaskError::Train(error.into())
    }
}

impl TaskError {
    /// The exit code of a command that ends so: 1 failed, 2 usage, 3 bad data, 4 diverged.
    pub fn exit_code(&self) -> u8 {
        match self {
            TaskError::Usage(_) | TaskError::Config { .. } => 2,
            TaskError::Device(error) if error.is_usage() => 2,
            TaskError::Gate(_) => 3,
            TaskError::Data(error) | TaskError::Train(TrainError::Data(error)) => {
                if error.is_usage() {
                    2
                } else {
                    3
                }
            }
            TaskError::Train(TrainError::Diverged { .. }) => 4,
            TaskError::Train(TrainError::Record(error)) if is_usage(error) => 2,
            TaskError::Device(_) | TaskError::Train(_) => 1,
        }
    }
}

/// Whether a name that the user gave is at fault.
fn is_usage(error: &RecordError) -> bool {
    matches!(
        error,
        RecordError::Exists(_) | RecordError::Name(_) | RecordError::NotFound { .. } | RecordError::Ambiguous { .. }
    )
}
