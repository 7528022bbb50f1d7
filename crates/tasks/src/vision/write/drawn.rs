//! Pictures of answers.

use std::path::PathBuf;

use super::names::Names;
use super::{Files, Said, write_file};
use crate::TaskError;
use crate::vision::draw::Marks;

/// A PNG an image in a folder `pictures`: the image with the answer drawn over it.
pub(super) struct Drawn<'a> {
    pub(super) folder: PathBuf,
    pub(super) names: Names,
    pub(super) classes: &'a [String],
}

impl Files for Drawn<'_> {
    fn write(&mut self, said: &Said) -> Result<(), TaskError> {
        let picture = Marks::from(said.answer).over(said.image, self.classes, usize::MAX);
        let name = self.names.with_extension(said.name, "png");
        write_file(&self.folder.join(name), &picture.png())
    }
}
