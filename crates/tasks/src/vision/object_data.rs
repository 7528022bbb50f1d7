//! What is known of objects.

use gyrus_data::target::Shape;
use gyrus_data::{Dataset, Split, Target};

/// What is known of the objects of a dataset: it tells which of the tasks on objects is meant where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectData {
    /// Masks in which each object has a number: there may be thousands.
    Numbered,
    /// The pixels or the outline of each object.
    Outlined,
    /// The box of the one object on each image.
    Single,
    /// Boxes of any number of objects.
    Boxed,
}

impl ObjectData {
    /// What is known in these data.
    pub fn of(dataset: &Dataset) -> ObjectData {
        let targets =
            || Split::ALL.into_iter().flat_map(|split| dataset.indices(split)).map(|&index| dataset.target(index));
        let objects =
            || targets().filter_map(|target| if let Target::Objects(objects) = target { Some(objects) } else { None });
        if targets().any(|target| matches!(target, Target::PixelObjects(_))) {
            return ObjectData::Numbered;
        }
        let has_objects = objects().any(|objects| !objects.is_empty());
        if has_objects && objects().flatten().all(|object| object.shape != Shape::Box) {
            return ObjectData::Outlined;
        }
        match has_objects && objects().all(|objects| objects.len() == 1) {
            true => ObjectData::Single,
            false => ObjectData::Boxed,
        }
    }
}
