//! What the data gate found.

use serde::Serialize;

use crate::target::TargetKind;
use crate::{Geometry, Split};

/// What the data gate found, in plain fields. It prints itself as text, and as JSON through `serde`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The usual shape of the images.
    pub geometry: Geometry,
    /// The kind of the targets; nothing if no sample has one.
    pub kind: Option<TargetKind>,
    /// How many samples each split has, for the splits that have any.
    pub splits: Vec<SplitCounts>,
    /// What must be put right before training.
    pub errors: Vec<Finding>,
    /// What should be known.
    pub warnings: Vec<Finding>,
    /// Samples that were set aside, each with what is wrong with it: see [`admit`](super::admit).
    pub quarantined: Vec<String>,
    /// A SHA-256 over splits, targets and decoded pixels of all samples in their order: the same data give the same
    /// number, whatever their files look like.
    pub fingerprint: String,
}

/// How many samples a split has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitCounts {
    /// The split.
    pub split: Split,
    /// All its samples.
    pub total: usize,
    /// Those of each class: images of one class, or that show it; or objects.
    pub per_class: Vec<usize>,
    /// Those without a label.
    pub unlabelled: usize,
}

/// Something wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// A sentence that says what it means and what to do.
    pub message: String,
    /// How many samples (or classes, or pairs) are concerned.
    pub total: usize,
    /// The first few of them, by file and line or sample.
    pub examples: Vec<String>,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// There are no samples.
    NoSamples,
    /// Images that cannot be read.
    Unreadable,
    /// Samples without a label.
    LabelMissing,
    /// Samples of fewer than two classes.
    OneClass,
    /// Numbers that are not finite.
    NotFinite,
    /// The same image in two splits.
    Leak,
    /// The same image twice in a split.
    Duplicate,
    /// The same image with two labels.
    Contradiction,
    /// Images of one colour.
    Constant,
    /// Images of another size than most.
    OtherSize,
    /// Classes without a training sample.
    EmptyClass,
    /// Classes of very different numbers of training samples.
    Imbalance,
    /// Files that the reader left out.
    LeftOut,
    /// Annotations that are not what their format asks for.
    Malformed,
    /// Classes that are not among the dataset's.
    UnknownClass,
    /// Labels whose image is not there.
    ImageMissing,
    /// Boxes without area.
    EmptyBox,
    /// Boxes that are not within their image.
    BoxOutside,
    /// The same box with the same class twice.
    DuplicateBox,
    /// Masks that cannot be read.
    MaskUnreadable,
    /// Masks of another size than their image.
    MaskSize,
    /// Images that look like one of another split.
    NearLeak,
}

impl FindingKind {
    /// Whether samples, or files of labels, can be set aside for it; else it is about the dataset as a whole.
    pub(super) fn is_of_samples(self) -> bool {
        !matches!(self, FindingKind::NoSamples | FindingKind::OneClass)
    }
}

impl Report {
    /// Whether there are no errors.
    pub fn passed(&self) -> bool {
        self.errors.is_empty()
    }

    /// The first finding of a kind, among errors and warnings.
    pub fn finding(&self, kind: FindingKind) -> Option<&Finding> {
        self.errors.iter().chain(&self.warnings).find(|finding| finding.kind == kind)
    }

    /// How many samples a split has.
    pub fn count(&self, split: Split) -> usize {
        self.splits.iter().find(|counts| counts.split == split).map_or(0, |counts| counts.total)
    }
}
