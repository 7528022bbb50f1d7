//! Why a command did not succeed.

use std::fmt;
use std::io;

use gyrus::data::DataError;
use gyrus::tasks::TaskError;
use gyrus::train::record::RecordError;

/// Why a command did not succeed: a line for a person, and an exit code.
#[derive(Debug)]
pub enum Failure {
    /// A task went wrong.
    Task(TaskError),
    /// What was asked for cannot be.
    Usage(String),
    /// Data did not pass the checks, which have been reported.
    BadData(String),
    /// A metric is below what was asked for.
    Gate(String),
    /// Something else went wrong.
    Other(String),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Failure {
    /// The exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Task(error) => error.exit_code(),
            Failure::Usage(_) => 2,
            Failure::BadData(_) => 3,
            Failure::Gate(_) => 6,
            Failure::Other(_) => 1,
            Failure::Output(_) if self.is_silent() => 0,
            Failure::Output(_) => 1,
        }
    }

    /// Whether nothing is to be said: whoever read the output has had enough of it.
    pub fn is_silent(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Task(error) => error.fmt(formatter),
            Failure::Usage(reason) | Failure::BadData(reason) | Failure::Gate(reason) | Failure::Other(reason) => {
                formatter.write_str(reason)
            }
            Failure::Output(error) => write!(formatter, "cannot write to standard output: {error}"),
        }
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Failure::Task(error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Failure::Task(error.into())
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Failure::Task(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}
