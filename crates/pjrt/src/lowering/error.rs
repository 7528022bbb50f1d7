//! What can go wrong.

use thiserror::Error;

/// Why a graph has no text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoweringError {
    /// StableHLO has no word for an operation.
    #[error("{operation}: {reason}")]
    Unsupported {
        /// The operation's name.
        operation: &'static str,
        /// Why it cannot be said.
        reason: String,
    },
    /// An output cannot take the memory of an input.
    #[error(
        "input {input} cannot be donated to output {output}: both must exist, have one shape and element type, and be \
         donated once"
    )]
    Donation {
        /// The input's number.
        input: usize,
        /// The output's number.
        output: usize,
    },
}
