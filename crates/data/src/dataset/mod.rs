//! Images with their classes, in up to three splits.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::readers::image_file;
use crate::{DataError, ImageBuffer, Layout, Result};

mod geometry;
mod origin;
mod storage;

pub use geometry::Geometry;
pub use origin::{Origin, Place};
pub(crate) use storage::{Block, Storage};
pub use storage::{Pixels, Samples};

/// What a sample is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// The net learns from it.
    Train,
    /// Decisions are made by it: when to stop, which checkpoint is best.
    Validation,
    /// The result is reported on it.
    Test,
}

impl Split {
    /// The three of them.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Split::Train => "training",
            Split::Validation => "validation",
            Split::Test => "test",
        })
    }
}

/// An image file with its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// What it is used for.
    pub split: Split,
    /// The index of its class.
    pub class: usize,
    /// The file.
    pub path: PathBuf,
}

/// Images with their classes, in up to three splits. Samples are numbered from 0 through all splits; the numbers of a
/// split are [`Dataset::indices`].
///
/// Images are either in memory (IDX, CSV) or in files that are decoded when they are read (folders).
#[derive(Debug)]
pub struct Dataset {
    classes: Vec<String>,
    geometry: Geometry,
    labels: Vec<Option<usize>>,
    storage: Storage,
    notes: Vec<String>,
    pub(crate) splits: [Vec<usize>; 3],
}

/// How many files are looked at to learn the usual size of images in files.
const NUM_PROBES: usize = 256;

impl Dataset {
    /// Reads what is at a path, whichever of the layouts it has: see [`Layout`].
    ///
    /// # Errors
    /// If there is nothing there, nothing that is understood, or more than one thing that could be meant; and whatever
    /// is wrong with the files that are read now. Image files are only listed: [`check`](crate::check) opens them.
    pub fn open(path: impl AsRef<Path>) -> Result<Dataset> {
        Layout::detect(path.as_ref())?.open(path)
    }

    /// A dataset of images in memory. Samples are numbered in the order in which they are given.
    ///
    /// # Errors
    /// [`DataError::Setting`] if the numbers of pixels and labels do not fit one another, or a class is out of range.
    pub fn from_samples(geometry: Geometry, classes: Vec<String>, samples: Vec<Samples>) -> Result<Dataset> {
        let (mut labels, mut blocks, mut splits) = (Vec::new(), Vec::new(), <[Vec<usize>; 3]>::default());
        for part in samples {
            let count = part.labels.len();
            let sizes_fit = part.pixels.len() == count * geometry.num_elements();
            if !sizes_fit || part.lines.as_ref().is_some_and(|lines| lines.len() != count) {
                let reason = format!("{count} labels do not fit {} numbers of {geometry} images", part.pixels.len());
                return Err(DataError::setting(part.path.display().to_string(), reason));
            }
            if let Some(class) = part.labels.iter().flatten().find(|&&class| class >= classes.len()) {
                let reason = format!("class {class} is out of range; there are {} classes", classes.len());
                return Err(DataError::setting(part.path.display().to_string(), reason));
            }
            let first = labels.len();
            labels.extend(part.labels);
            splits[part.split as usize].extend(first..first + count);
            // An empty block would hide the one that begins at the same number.
            if count > 0 {
                blocks.push(Block { first, path: part.path, pixels: part.pixels, lines: part.lines });
            }
        }
        Ok(Dataset { classes, geometry, labels, storage: Storage::Memory(blocks), notes: Vec::new(), splits })
    }

    /// A dataset of image files, decoded when they are read. The geometry is the commonest size among up to 256 of the
    /// files, spread evenly; it has three channels if one of these has colour, else one. Files that cannot be read do
    /// not count here: [`check`](crate::check) reports them.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a class is out of range.
    pub fn from_files(classes: Vec<String>, files: Vec<ImageFile>) -> Result<Dataset> {
        let mut splits = <[Vec<usize>; 3]>::default();
        for (index, file) in files.iter().enumerate() {
            if file.class >= classes.len() {
                let reason = format!("class {} is out of range; there are {} classes", file.class, classes.len());
                return Err(DataError::setting(file.path.display().to_string(), reason));
            }
            splits[file.split as usize].push(index);
        }
        let geometry = commonest_geometry(&files);
        let labels = files.iter().map(|file| Some(file.class)).collect();
        let storage = Storage::Files(files.into_iter().map(|file| file.path).collect());
        Ok(Dataset { classes, geometry, labels, storage, notes: Vec::new(), splits })
    }

    /// The names of the classes; a label is an index into them.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The shape of the images: of every one in memory, of most if they are files.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// How many samples there are in all splits together.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The numbers of a split's samples.
    pub fn indices(&self, split: Split) -> &[usize] {
        &self.splits[split as usize]
    }

    /// The class of a sample, as an index into [`classes`](Self::classes), if it has one.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn label(&self, index: usize) -> Option<usize> {
        self.labels[index]
    }

    /// Where a sample came from.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn origin(&self, index: usize) -> Origin {
        self.storage.origin(index)
    }

    /// Reads the image of a sample, in the dataset's number of channels and in its own size.
    ///
    /// # Errors
    /// [`DataError::Read`] and [`DataError::Image`] if the sample is a file that cannot be read or decoded.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn read(&self, index: usize, image: &mut ImageBuffer) -> Result<()> {
        self.storage.read(index, self.geometry, image)
    }

    /// Whether reading an image costs no more than copying it.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.storage, Storage::Memory(_))
    }

    /// What readers have to say about files that were left out; [`check`](crate::check) reports it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn with_notes(self, notes: Vec<String>) -> Dataset {
        Dataset { notes, ..self }
    }

    /// The same samples with the classes of a trained model, in the model's order: labels are matched by name. Use it
    /// to evaluate a model on other data than it was trained with.
    ///
    /// # Errors
    /// [`DataError::UnknownClass`] if a sample has a class that the model lacks.
    pub fn with_classes(mut self, classes: Vec<String>) -> Result<Dataset> {
        let known: HashMap<&String, usize> = classes.iter().zip(0..).collect();
        let mapped: Vec<Option<usize>> = self.classes.iter().map(|name| known.get(name).copied()).collect();
        for label in self.labels.iter_mut().flatten() {
            *label = mapped[*label].ok_or_else(|| DataError::UnknownClass {
                name: self.classes[*label].clone(),
                known: abridged(&classes, 12),
            })?;
        }
        Ok(Dataset { classes, ..self })
    }
}

/// One sentence: splits, shape, classes.
impl fmt::Display for Dataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = Split::ALL
            .iter()
            .filter(|&&split| !self.indices(split).is_empty())
            .map(|&split| format!("{} {split}", self.indices(split).len()))
            .collect();
        let counts = if counts.is_empty() { "no".to_string() } else { counts.join(", ") };
        let classes = abridged(&self.classes, 12);
        write!(formatter, "{counts} images, {}, {} classes: {classes}", self.geometry, self.classes.len())
    }
}

/// The first few names.
pub(crate) fn abridged(names: &[String], limit: usize) -> String {
    let shown = names[..names.len().min(limit)].join(", ");
    if names.len() > limit { format!("{shown}, and {} more", names.len() - limit) } else { shown }
}

fn commonest_geometry(files: &[ImageFile]) -> Geometry {
    let step = files.len().div_ceil(NUM_PROBES).max(1);
    let probed = files.iter().step_by(step).filter_map(|file| image_file::probe(&file.path).ok());
    let mut sizes: HashMap<(usize, usize), usize> = HashMap::new();
    let mut channels = 1;
    for geometry in probed {
        *sizes.entry((geometry.height, geometry.width)).or_default() += 1;
        channels = channels.max(geometry.channels);
    }
    // Of equally common sizes the larger, so that the answer does not depend on the order of a hash table.
    let commonest = sizes.into_iter().max_by_key(|&(size, count)| (count, size));
    let (height, width) = commonest.map(|(size, _)| size).unwrap_or_default();
    Geometry { height, width, channels }
}

#[cfg(test)]
mod tests;
