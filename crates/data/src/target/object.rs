//! One thing on an image.

use gyrus_geometry::{Polygon, RunLengthMask, Xyxy};

/// One thing on an image, in the image's own pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its class, as an index into the dataset's classes.
    pub class: usize,
    /// The box around it.
    pub bounds: Xyxy,
    /// More than the box, where more is known.
    pub shape: Shape,
    /// Whether it stands for any number of things that touch (COCO's `iscrowd`).
    pub is_crowd: bool,
    /// Whether it is not counted when a result is measured (Pascal VOC's `difficult`).
    pub is_difficult: bool,
}

/// What an object covers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shape {
    /// Somewhere in its box.
    #[default]
    Box,
    /// All of these.
    Polygons(Vec<Polygon>),
    /// These pixels.
    Runs(RunLengthMask),
}

impl Object {
    /// An object of which only the box is known.
    pub fn of_box(class: usize, bounds: Xyxy) -> Self {
        Self { class, bounds, shape: Shape::Box, is_crowd: false, is_difficult: false }
    }

    /// An object with these outlines; its box is the one around them.
    pub fn of_polygons(class: usize, polygons: Vec<Polygon>) -> Self {
        let boxes = polygons.iter().map(Polygon::bounding_box);
        let bounds = boxes.reduce(|all, one| all.hull(&one)).unwrap_or_default();
        Self { shape: Shape::Polygons(polygons), ..Self::of_box(class, bounds) }
    }

    /// The pixels that it covers of an image of this size; of one without a shape, those of its box.
    pub fn mask(&self, width: usize, height: usize) -> RunLengthMask {
        match &self.shape {
            Shape::Runs(runs) => runs.clone(),
            Shape::Polygons(polygons) => {
                let masks = polygons.iter().map(|polygon| polygon.rasterise(width, height));
                masks.reduce(|all, one| all.merge(&one)).unwrap_or_else(|| nothing(width, height))
            }
            Shape::Box => {
                let Xyxy { left, top, right, bottom } = self.bounds;
                let corners = [left, top, right, top, right, bottom, left, bottom];
                Polygon::from_coordinates(&corners)
                    .map_or_else(|_| nothing(width, height), |polygon| polygon.rasterise(width, height))
            }
        }
    }
}

fn nothing(width: usize, height: usize) -> RunLengthMask {
    RunLengthMask::from(&gyrus_geometry::Mask::new(width, height))
}
