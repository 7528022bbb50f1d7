//! What can go wrong between a user's files and a batch.

use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::{Geometry, Origin, Place, Split};

/// What can go wrong with data. Every message names the file, the place in it and a remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}; {}", path.display(), remedy_for_reading(source))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// There is nothing to learn from.
    #[error("{}: {found}; {remedy}", path.display())]
    NoData {
        /// The file or folder.
        path: PathBuf,
        /// What is there instead of data.
        found: String,
        /// What to do.
        remedy: String,
    },

    /// A path that can be read in more than one way.
    #[error("{}: can be read as {}; {remedy}", path.display(), candidates.join(", or as "))]
    Ambiguous {
        /// The file or folder.
        path: PathBuf,
        /// The ways, each a phrase.
        candidates: Vec<String>,
        /// How to choose.
        remedy: String,
    },

    /// An IDX file is not what its header says.
    #[error("{}: at byte {position}: {reason}; fetch or write the file again", path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// Where in the (decompressed) file.
        position: u64,
        /// What is wrong there.
        reason: String,
    },

    /// Images without their labels, or labels without their images.
    #[error("{}: {missing}; put the two files side by side under their usual names (train-images-idx3-ubyte, train-labels-idx1-ubyte)", path.display())]
    Unpaired {
        /// The file that stands alone, or does not fit its partner.
        path: PathBuf,
        /// What it lacks.
        missing: String,
    },

    /// A table's cell or line is not what it should be.
    #[error("{}, line {line}: {reason}; correct the line or leave it out", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        reason: String,
    },

    /// An image file that cannot be decoded.
    #[error("{}: cannot be decoded: {reason}; replace the file or take it out", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },

    /// A sample has no label.
    #[error("{origin}: has no label; label it or take it out")]
    LabelMissing {
        /// The sample.
        origin: Origin,
    },

    /// A file of labels is not what its format asks for.
    #[error("{origin}: {reason}; correct it or take it out")]
    Label {
        /// The file, and the place in it.
        origin: Origin,
        /// What is wrong there.
        reason: String,
    },

    /// A pixel of a mask stands for nothing.
    #[error("{}: the pixel at x {x}, y {y} is {value}, which stands for no class; correct the mask, or list its class", path.display())]
    PixelValue {
        /// The mask.
        path: PathBuf,
        /// The column.
        x: usize,
        /// The row.
        y: usize,
        /// What is there.
        value: String,
    },

    /// A mask is not as large as its image.
    #[error("{}: is {}x{} (height x width), its image is {}x{}; bring them to one size", path.display(), found[0], found[1], expected[0], expected[1])]
    MaskSize {
        /// The mask.
        path: PathBuf,
        /// Its height and width.
        found: [usize; 2],
        /// Those of the image.
        expected: [usize; 2],
    },

    /// A class that the model, or the rest of the data, does not know.
    #[error("class \"{name}\" is not among the known classes ({known}); correct the name or train with it")]
    UnknownClass {
        /// The name.
        name: String,
        /// The names that are known, or the first of them.
        known: String,
    },

    /// Files of one dataset whose images differ in shape.
    #[error("{}: its images are {found}, those of {} are {expected}; bring them to one size", path.display(), other.display())]
    Geometry {
        /// The file.
        path: PathBuf,
        /// The shape of its images.
        found: Geometry,
        /// The file it is compared with.
        other: PathBuf,
        /// The shape of the images there.
        expected: Geometry,
    },

    /// A split that is asked for and holds nothing.
    #[error("there are no {split} samples; add them, or hold some of the training samples out")]
    EmptySplit {
        /// The split.
        split: Split,
    },

    /// A setting that cannot be.
    #[error("{setting}: {reason}")]
    Setting {
        /// The name of the setting, or the text as the user wrote it.
        setting: String,
        /// What is wrong, and what would be right.
        reason: String,
    },

    /// A thread of the loader died.
    #[error("a loader thread stopped before batch {batch}: this is a defect in gyrus; please report it")]
    WorkerStopped {
        /// The batch that did not come.
        batch: usize,
    },
}

impl DataError {
    /// Whether the user's command or setting is at fault, and not the data: exit code 2, not 3.
    pub fn is_usage(&self) -> bool {
        matches!(self, DataError::Ambiguous { .. } | DataError::Setting { .. })
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| DataError::Read { path: path.to_owned(), source }
    }

    /// Something wrong in a file of labels, at a line from 1 if it has lines.
    pub(crate) fn label(path: &Path, line: Option<u64>, reason: impl Into<String>) -> Self {
        let origin = Origin { path: path.to_owned(), place: line.map(Place::Line) };
        DataError::Label { origin, reason: reason.into() }
    }

    pub(crate) fn setting(setting: impl Into<String>, reason: impl Into<String>) -> Self {
        DataError::Setting { setting: setting.into(), reason: reason.into() }
    }
}

fn remedy_for_reading(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "check the spelling of the path",
        io::ErrorKind::PermissionDenied => "give yourself the right to read it",
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => "check that the path is the one you mean",
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            "the file is damaged: fetch or copy it again"
        }
        _ => "check the disk and try again",
    }
}
