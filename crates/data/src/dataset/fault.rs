//! What a reader found wrong and went on.

use serde::Serialize;

use crate::dataset::Origin;

/// Something wrong with one sample, or with a file that belongs to none. A reader notes it down and goes on, so that all
/// that is wrong with a dataset is told at once, and a little of it can be set aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The sample, if there is one.
    pub sample: Option<usize>,
    /// What kind of thing is wrong.
    pub kind: FaultKind,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong there.
    pub reason: String,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// An annotation that is not what its format asks for.
    Malformed,
    /// A class that is not among the dataset's.
    UnknownClass,
    /// Labels whose image is not there.
    ImageMissing,
    /// An image without its labels.
    LabelMissing,
}
