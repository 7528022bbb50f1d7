//! Samples as a reader finds them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::classes::ClassNames;
use crate::dataset::{Fault, FaultKind, ImageFile, Origin, Place};
use crate::readers::image_file::has_image_extension;
use crate::readers::listing::{list, name};
use crate::target::{Page, Target};
use crate::{DataError, Dataset, Result, Split};

/// Samples as a reader finds them, with what is wrong with them.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The names of the classes, as they appear.
    pub(crate) classes: ClassNames,
    pub(crate) files: Vec<ImageFile>,
    faults: Vec<Fault>,
    notes: Vec<String>,
}

impl Gathered {
    /// Adds a sample and returns its number.
    pub(crate) fn add(&mut self, split: Split, image: impl Into<Page>, target: Target) -> usize {
        self.files.push(ImageFile { split, target, image: image.into() });
        self.files.len() - 1
    }

    /// Notes something wrong with the sample that is added next.
    pub(crate) fn fault_of_next(&mut self, kind: FaultKind, path: &Path, line: Option<u64>, reason: impl Into<String>) {
        self.add_fault(Some(self.files.len()), kind, path, line, reason.into());
    }

    /// Notes something wrong with a sample that is there.
    pub(crate) fn fault_of(&mut self, sample: usize, kind: FaultKind, path: &Path, reason: impl Into<String>) {
        self.add_fault(Some(sample), kind, path, None, reason.into());
    }

    /// Notes something wrong with a file that belongs to no sample.
    pub(crate) fn fault(&mut self, kind: FaultKind, path: &Path, line: Option<u64>, reason: impl Into<String>) {
        self.add_fault(None, kind, path, line, reason.into());
    }

    fn add_fault(&mut self, sample: Option<usize>, kind: FaultKind, path: &Path, line: Option<u64>, reason: String) {
        let origin = Origin { path: path.to_owned(), place: line.map(Place::Line) };
        self.faults.push(Fault { sample, kind, origin, reason });
    }

    /// Notes something that is worth knowing.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// A dataset whose classes are the names that appeared, in order.
    pub(crate) fn finish(mut self, path: &Path) -> Result<Dataset> {
        let (classes, places) = std::mem::take(&mut self.classes).sorted();
        self.files.iter_mut().try_for_each(|file| file.target.renumber(&|class| Ok(places[class])))?;
        self.finish_with(path, classes)
    }

    /// A dataset with these classes.
    pub(crate) fn finish_with(self, path: &Path, classes: Vec<String>) -> Result<Dataset> {
        if self.files.is_empty() {
            let first = self.faults.first();
            return Err(DataError::NoData {
                path: path.to_owned(),
                found: first.map_or("there are no samples in it".into(), |fault| {
                    format!("there are no samples in it; first: {}: {}", fault.origin, fault.reason)
                }),
                remedy: "check that images lie where their labels say".into(),
            });
        }
        Ok(Dataset::from_files(classes, self.files)?.with_notes(self.notes).with_faults(self.faults))
    }
}

/// Images by their names without extensions. Where several have one, the first is taken.
#[derive(Debug, Default)]
pub(crate) struct ImagesByStem {
    paths: HashMap<String, PathBuf>,
}

impl ImagesByStem {
    /// The images in a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let (files, _) = list(folder)?;
        let mut paths = HashMap::new();
        for file in files.into_iter().filter(|file| has_image_extension(file)) {
            paths.entry(stem(&file)).or_insert(file);
        }
        Ok(Self { paths })
    }

    pub(crate) fn get(&self, stem: &str) -> Option<&PathBuf> {
        self.paths.get(stem)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// A file's name without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The folder of one of these names within a folder.
pub(crate) fn child(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    let (_, folders) = list(folder).ok()?;
    names.iter().find_map(|wanted| folders.iter().find(|found| name(found).eq_ignore_ascii_case(wanted)).cloned())
}
