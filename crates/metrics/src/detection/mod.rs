//! Metrics of object detection: found regions against annotated ones.

mod coco;
mod coco_matching;
mod coco_scores;
mod localization;
mod panoptic;
mod pascal_voc;

pub use coco::CocoEvaluator;
pub use coco_scores::{CocoClassScores, CocoScores};
pub use localization::localization_accuracy;
pub use panoptic::{PanopticEvaluator, PanopticScores};
pub use pascal_voc::{PascalVocEvaluator, PascalVocInterpolation};

use std::collections::BTreeMap;

use gyrus_geometry::Region;

use crate::precision_recall_curve::falling;

/// An annotated object of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth<R> {
    /// Where it is.
    pub region: R,
    /// Its class, from 0.
    pub class: usize,
    /// Its area in square pixels, by which COCO calls it small, medium or large: as annotated (COCO's `area`, that
    /// of the object's outline also where regions are boxes), else the region's.
    pub area: f64,
    /// Whether finding it is neither right nor wrong: COCO's `iscrowd`, Pascal VOC's `difficult`.
    pub is_ignored: bool,
}

/// An object that was found in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection<R> {
    /// Where it is.
    pub region: R,
    /// Its class, from 0.
    pub class: usize,
    /// How sure the detector is; only the order matters.
    pub score: f64,
}

impl<R: Region> Truth<R> {
    /// An object that is to be found, of its region's area.
    pub fn new(region: R, class: usize) -> Self {
        Self { area: region.area(), region, class, is_ignored: false }
    }
}

impl<R> Detection<R> {
    /// An object that was found.
    pub const fn new(region: R, class: usize, score: f64) -> Self {
        Self { region, class, score }
    }
}

/// The truths and detections of one class in one picture, detections by falling score, equal ones in their order.
type OfClass<'a, R> = (Vec<&'a Truth<R>>, Vec<&'a Detection<R>>);

/// What a picture holds of each class that occurs in it, by class.
///
/// # Panics
/// If a class is not below `num_classes` or a score is NaN.
#[track_caller]
fn by_class<'a, R>(
    metric: &str,
    num_classes: usize,
    truths: &'a [Truth<R>],
    detections: &'a [Detection<R>],
) -> impl Iterator<Item = (usize, OfClass<'a, R>)> {
    let mut classes = BTreeMap::<usize, OfClass<'a, R>>::new();
    for truth in truths {
        classes.entry(truth.class).or_default().0.push(truth);
    }
    for detection in detections {
        assert!(!detection.score.is_nan(), "{metric}: a detection's score is NaN: scores must be numbers");
        classes.entry(detection.class).or_default().1.push(detection);
    }
    if let Some((class, _)) = classes.last_key_value().filter(|&(&class, _)| class >= num_classes) {
        panic!("{metric}: class {class} with {num_classes} classes: classes must be in 0..{num_classes}");
    }
    classes.into_iter().map(|(class, (truths, mut detections))| {
        detections.sort_by(|a, b| falling(a.score, b.score));
        (class, (truths, detections))
    })
}
