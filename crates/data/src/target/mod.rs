//! What is to be learnt of an image: its class, its classes, the objects on it, or the class of each pixel.
//!
//! A [`Target`] is as it was read: in the image's own pixels, its masks still in their files. [`PlacedTarget`] is what
//! becomes of it on the way to the net: it moves with the image, and is what batches are made of. A further kind of
//! target is a variant here and its branch in [`PlacedTarget`].

use std::path::PathBuf;

use crate::{DataError, Result};

mod label_map;
mod object;
mod paint;
mod pixel_classes;
mod placed;

pub use label_map::{IGNORED, LabelMap};
pub use object::{Object, Shape};
pub use pixel_classes::PixelClasses;
pub(crate) use placed::Placement;
pub use placed::{PlacedObject, PlacedTarget};

/// What is to be learnt of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Target {
    /// Nothing is known.
    #[default]
    Unlabelled,
    /// One class.
    Class(usize),
    /// All classes that it shows, in order; there may be none.
    Classes(Vec<usize>),
    /// All objects on it; there may be none.
    Objects(Vec<Object>),
    /// A class for each pixel, in an image file whose values the dataset's [`PixelClasses`] translate.
    PixelClasses(Page),
    /// An object for each pixel, in an image file: equal values are an object of the first class, 0 is none.
    PixelObjects(Page),
}

/// An image in a file of images.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Page {
    /// The file.
    pub path: PathBuf,
    /// The number of the image in it, from 0. Only TIFF files have more than one that is read.
    pub number: usize,
}

impl From<PathBuf> for Page {
    /// The first image of a file.
    fn from(path: PathBuf) -> Self {
        Self { path, number: 0 }
    }
}

/// The kinds of targets. All samples of a dataset that have one have one of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// One class an image: classification.
    Class,
    /// Any number of classes an image: multi-label classification.
    Classes,
    /// Objects with their boxes, perhaps with their shapes: localization, detection, instance segmentation.
    Objects,
    /// A class a pixel: semantic segmentation.
    PixelClasses,
}

impl TargetKind {
    /// `one class an image`, and so on.
    pub fn phrase(self) -> &'static str {
        match self {
            TargetKind::Class => "one class an image",
            TargetKind::Classes => "any number of classes an image",
            TargetKind::Objects => "objects",
            TargetKind::PixelClasses => "a class a pixel",
        }
    }
}

impl Target {
    /// Its kind; nothing where nothing is known.
    pub fn kind(&self) -> Option<TargetKind> {
        match self {
            Target::Unlabelled => None,
            Target::Class(_) => Some(TargetKind::Class),
            Target::Classes(_) => Some(TargetKind::Classes),
            Target::Objects(_) | Target::PixelObjects(_) => Some(TargetKind::Objects),
            Target::PixelClasses(_) => Some(TargetKind::PixelClasses),
        }
    }

    /// The classes that it names; those of pixels are only known when their file is read.
    pub fn classes(&self) -> Vec<usize> {
        match self {
            Target::Class(class) => vec![*class],
            Target::Classes(classes) => classes.clone(),
            Target::Objects(objects) => objects.iter().map(|object| object.class).collect(),
            Target::PixelObjects(_) => vec![0],
            Target::Unlabelled | Target::PixelClasses(_) => vec![],
        }
    }

    /// Gives every class another number.
    pub(crate) fn renumber(&mut self, number: &dyn Fn(usize) -> Result<usize>) -> Result<()> {
        let mut change = |class: &mut usize| number(*class).map(|new| *class = new);
        match self {
            Target::Class(class) => change(class),
            Target::Classes(classes) => {
                classes.iter_mut().try_for_each(&mut change)?;
                classes.sort_unstable();
                Ok(())
            }
            Target::Objects(objects) => objects.iter_mut().try_for_each(|object| change(&mut object.class)),
            // Values number objects, so that there is no place for another class than the first.
            Target::PixelObjects(_) => match number(0)? {
                0 => Ok(()),
                _ => Err(DataError::setting("classes", "the class of objects that masks number must be the first")),
            },
            Target::Unlabelled | Target::PixelClasses(_) => Ok(()),
        }
    }
}
