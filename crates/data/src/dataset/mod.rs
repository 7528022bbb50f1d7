//! Images with their targets, in up to three splits.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::readers::{image_file, label_image};
use crate::target::{LabelMap, Object, Page, PixelClasses, Target, TargetKind};
use crate::{DataError, ImageBuffer, Layout, Result};

mod fault;
mod geometry;
mod origin;
mod storage;

pub use fault::{Fault, FaultKind};
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

/// An image file with its target.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFile {
    /// What it is used for.
    pub split: Split,
    /// What is to be learnt of it.
    pub target: Target,
    /// The image.
    pub image: Page,
}

/// Images with their targets, in up to three splits. Samples are numbered from 0 through all splits; the numbers of a
/// split are [`Dataset::indices`].
///
/// Images are either in memory (IDX, CSV of pixels) or in files that are decoded when they are read.
#[derive(Debug)]
pub struct Dataset {
    classes: Vec<String>,
    geometry: Geometry,
    targets: Vec<Target>,
    pixel_classes: PixelClasses,
    storage: Storage,
    notes: Vec<String>,
    faults: Vec<Fault>,
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
        let (mut targets, mut blocks, mut splits) = (Vec::new(), Vec::new(), <[Vec<usize>; 3]>::default());
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
            let first = targets.len();
            targets.extend(part.labels.into_iter().map(|label| label.map_or(Target::Unlabelled, Target::Class)));
            splits[part.split as usize].extend(first..first + count);
            // An empty block would hide the one that begins at the same number.
            if count > 0 {
                blocks.push(Block { first, path: part.path, pixels: part.pixels, lines: part.lines });
            }
        }
        Ok(Self::new(classes, geometry, targets, Storage::Memory(blocks), splits))
    }

    /// A dataset of image files, decoded when they are read. The geometry is the commonest size among up to 256 of the
    /// files, spread evenly; it has three channels if one of these has colour, else one. Files that cannot be read do
    /// not count here: [`check`](crate::check) reports them.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a class is out of range, or targets are of more than one kind.
    pub fn from_files(classes: Vec<String>, files: Vec<ImageFile>) -> Result<Dataset> {
        let mut splits = <[Vec<usize>; 3]>::default();
        let mut kind = None;
        for (index, file) in files.iter().enumerate() {
            let wrong = |reason| Err(DataError::setting(file.image.path.display().to_string(), reason));
            if let Some(class) = file.target.classes().into_iter().find(|&class| class >= classes.len()) {
                return wrong(format!("class {class} is out of range; there are {} classes", classes.len()));
            }
            let found = file.target.kind();
            kind = kind.or(found);
            if let (Some(kind), Some(found)) = (kind, found)
                && kind != found
            {
                return wrong(format!("has {}, images before it have {}", found.phrase(), kind.phrase()));
            }
            splits[file.split as usize].push(index);
        }
        let geometry = commonest_geometry(&files);
        let (targets, pages) = files.into_iter().map(|file| (file.target, file.image)).unzip();
        Ok(Self::new(classes, geometry, targets, Storage::Files(pages), splits))
    }

    fn new(
        classes: Vec<String>,
        geometry: Geometry,
        targets: Vec<Target>,
        storage: Storage,
        splits: [Vec<usize>; 3],
    ) -> Self {
        let (pixel_classes, notes, faults) = (PixelClasses::in_order(classes.len()), Vec::new(), Vec::new());
        Self { classes, geometry, targets, pixel_classes, storage, notes, faults, splits }
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
        self.targets.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The numbers of a split's samples.
    pub fn indices(&self, split: Split) -> &[usize] {
        &self.splits[split as usize]
    }

    /// The class of a sample, as an index into [`classes`](Self::classes), if it has one for the whole image.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn label(&self, index: usize) -> Option<usize> {
        match self.targets[index] {
            Target::Class(class) => Some(class),
            _ => None,
        }
    }

    /// What is to be learnt of a sample, in the image's own pixels.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn target(&self, index: usize) -> &Target {
        &self.targets[index]
    }

    /// The objects on the image of a sample; of masks of objects, one for each number in them, with its pixels.
    ///
    /// # Errors
    /// [`DataError::Read`] and [`DataError::Image`] if a mask cannot be read or decoded.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn objects(&self, index: usize) -> Result<Cow<'_, [Object]>> {
        match &self.targets[index] {
            Target::Objects(objects) => Ok(Cow::Borrowed(objects)),
            Target::PixelObjects(page) => {
                let mut map = LabelMap::default();
                label_image::read(page, None, &mut map)?;
                Ok(Cow::Owned(map.objects(0)))
            }
            _ => Ok(Cow::Borrowed(&[])),
        }
    }

    /// The class of each pixel of a sample's image, or [`IGNORED`](crate::target::IGNORED); an empty map where pixels have
    /// no classes.
    ///
    /// # Errors
    /// [`DataError::Read`] and [`DataError::Image`] if the mask cannot be read or decoded, [`DataError::PixelValue`] for
    /// a value that is no class.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn pixel_labels(&self, index: usize) -> Result<LabelMap> {
        let mut map = LabelMap::default();
        if let Target::PixelClasses(page) = &self.targets[index] {
            label_image::read(page, Some(&self.pixel_classes), &mut map)?;
        }
        Ok(map)
    }

    /// The kind of the targets; nothing if no sample has one.
    pub fn kind(&self) -> Option<TargetKind> {
        self.targets.iter().find_map(Target::kind)
    }

    /// Which class each value of a mask stands for, where targets are classes of pixels.
    pub fn pixel_classes(&self) -> &PixelClasses {
        &self.pixel_classes
    }

    /// Takes classes of pixels out of what is learnt and measured: pixels of them become
    /// [`IGNORED`](crate::target::IGNORED). They keep their place among the classes, so that numbers stay what they are.
    ///
    /// # Errors
    /// [`DataError::UnknownClass`] if there is no class of that name.
    pub fn ignoring(mut self, names: &[&str]) -> Result<Dataset> {
        let place = |name: &&str| {
            let place = self.classes.iter().position(|class| class == name);
            place
                .map(|class| class as u16)
                .ok_or_else(|| DataError::UnknownClass { name: name.to_string(), known: abridged(&self.classes, 12) })
        };
        let classes = names.iter().map(place).collect::<Result<Vec<u16>>>()?;
        self.pixel_classes.ignore(&classes);
        Ok(self)
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

    /// What readers found wrong with single samples and did not stop at; [`check`](crate::check) reports it.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(crate) fn with_notes(self, notes: Vec<String>) -> Dataset {
        Dataset { notes, ..self }
    }

    pub(crate) fn with_faults(self, faults: Vec<Fault>) -> Dataset {
        Dataset { faults, ..self }
    }

    pub(crate) fn with_pixel_classes(self, pixel_classes: PixelClasses) -> Dataset {
        Dataset { pixel_classes, ..self }
    }

    /// The same samples with the classes of a trained model, in the model's order: labels are matched by name. Use it
    /// to evaluate a model on other data than it was trained with.
    ///
    /// # Errors
    /// [`DataError::UnknownClass`] if a sample has a class that the model lacks.
    pub fn with_classes(mut self, classes: Vec<String>) -> Result<Dataset> {
        let known: HashMap<&String, usize> = classes.iter().zip(0..).collect();
        let mapped: Vec<Option<usize>> = self.classes.iter().map(|name| known.get(name).copied()).collect();
        let number = |class: usize| {
            mapped[class].ok_or_else(|| DataError::UnknownClass {
                name: self.classes[class].clone(),
                known: abridged(&classes, 12),
            })
        };
        self.targets.iter_mut().try_for_each(|target| target.renumber(&number))?;
        if self.targets.iter().any(|target| target.kind() == Some(TargetKind::PixelClasses)) {
            self.pixel_classes.renumber(&number)?;
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
        let num_objects = self.splits.iter().flatten().map(|&index| match &self.targets[index] {
            Target::Objects(objects) => objects.len(),
            _ => 0,
        });
        let objects = match (self.kind(), num_objects.sum::<usize>()) {
            (Some(TargetKind::Objects), count) if count > 0 => format!(" with {count} objects"),
            (Some(TargetKind::Objects), _) => " with objects".into(),
            (Some(TargetKind::PixelClasses), _) => " with masks".into(),
            _ => String::new(),
        };
        write!(formatter, "{counts} images{objects}, {}, {} classes: {classes}", self.geometry, self.classes.len())
    }
}

/// The first few names.
pub(crate) fn abridged(names: &[String], limit: usize) -> String {
    let shown = names[..names.len().min(limit)].join(", ");
    if names.len() > limit { format!("{shown}, and {} more", names.len() - limit) } else { shown }
}

fn commonest_geometry(files: &[ImageFile]) -> Geometry {
    let step = files.len().div_ceil(NUM_PROBES).max(1);
    let probed = files.iter().step_by(step).filter_map(|file| image_file::probe(&file.image.path).ok());
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
