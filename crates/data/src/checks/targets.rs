//! Whether every label is accounted for.

use std::collections::HashSet;

use gyrus_geometry::Xyxy;

use crate::checks::gathering::{Gathering, Judgement};
use crate::checks::samples::{Facts, ImageFacts};
use crate::checks::{FindingKind, findings};
use crate::dataset::FaultKind;
use crate::target::{Object, Shape, Target};
use crate::{DataError, Dataset};

/// By how many pixels a box may stand out: annotations are rounded.
const TOLERANCE: f64 = 1.0;

pub(super) fn judge(dataset: &Dataset, facts: &[Facts], judgement: &mut Judgement) {
    judge_faults(dataset, judgement);
    judge_boxes(dataset, facts, judgement);
    judge_masks(dataset, facts, judgement);
}

/// What readers noted down, and samples without a label.
fn judge_faults(dataset: &Dataset, judgement: &mut Judgement) {
    let indices = findings::indices(dataset);
    let mut malformed = Gathering::new(FindingKind::Malformed);
    let mut unknown_class = Gathering::new(FindingKind::UnknownClass);
    let mut image_missing = Gathering::new(FindingKind::ImageMissing);
    let mut label_missing = Gathering::new(FindingKind::LabelMissing);
    for fault in dataset.faults() {
        let gathering = match fault.kind {
            FaultKind::Malformed => &mut malformed,
            FaultKind::UnknownClass => &mut unknown_class,
            FaultKind::ImageMissing => &mut image_missing,
            FaultKind::LabelMissing => &mut label_missing,
        };
        let reason = || format!("{}: {}", fault.origin, fault.reason);
        match fault.sample {
            Some(sample) if indices.binary_search(&sample).is_ok() => gathering.add_bad(sample, reason()),
            Some(_) => {}
            None => gathering.add(reason),
        }
    }
    let told: HashSet<usize> = dataset.faults().iter().filter_map(|fault| fault.sample).collect();
    let unlabelled = indices.iter().filter(|&&index| dataset.target(index).kind().is_none());
    unlabelled.filter(|&index| !told.contains(index)).for_each(|&index| label_missing.add_sample(dataset, index));
    judgement.error(malformed, "{} annotations are not what their format asks for: correct them or take them out");
    judgement.error(unknown_class, "{} labels are of unknown classes: correct them, or name the classes");
    judgement.error(image_missing, "{} labels have no image: bring the images back, or take the labels out");
    judgement.error(label_missing, "{} samples have no label: label them or take them out");
}

fn judge_boxes(dataset: &Dataset, facts: &[Facts], judgement: &mut Judgement) {
    let mut empty = Gathering::new(FindingKind::EmptyBox);
    let mut outside = Gathering::new(FindingKind::BoxOutside);
    let mut twice = Gathering::new(FindingKind::DuplicateBox);
    let mut mask_size = Gathering::new(FindingKind::MaskSize);
    for index in findings::indices(dataset) {
        let (Target::Objects(objects), Facts::Image(image)) = (dataset.target(index), &facts[index]) else { continue };
        for (number, object) in objects.iter().enumerate() {
            let describe = || format!("{}: {}", dataset.origin(index), described(dataset, object));
            if object.bounds.is_empty() {
                empty.add_bad(index, describe());
            } else if stands_out(&object.bounds, image) {
                outside.add_bad(index, format!("{} in {}x{}", describe(), image.width, image.height));
            } else if objects[..number].iter().any(|other| is_same(other, object)) {
                twice.add(describe);
            }
            if let Shape::Runs(runs) = &object.shape
                && (runs.height(), runs.width()) != (image.height, image.width)
            {
                let size = format!(
                    "its mask is {}x{}, the image {}x{} (height x width)",
                    runs.height(),
                    runs.width(),
                    image.height,
                    image.width
                );
                mask_size.add_bad(index, format!("{}: {size}", describe()));
            }
        }
    }
    judgement.error(empty, "{} boxes have no area: correct them or take them out");
    judgement.error(outside, "{} boxes are not within their image: correct them or take them out");
    judgement.error(mask_size, "{} masks are of another size than their image: correct them or take them out");
    judgement.warning(twice, "{} boxes are there twice: an object that is labelled twice counts twice");
}

fn described(dataset: &Dataset, object: &Object) -> String {
    let Xyxy { left, top, right, bottom } = object.bounds;
    // Shares of the image that files state come to pixels by way of rounding.
    let [left, top, right, bottom] = [left, top, right, bottom].map(|edge| (edge * 100.0).round() / 100.0);
    format!("{} at x {left}..{right}, y {top}..{bottom}", dataset.classes()[object.class])
}

fn stands_out(bounds: &Xyxy, image: &ImageFacts) -> bool {
    let (width, height) = (image.width as f64, image.height as f64);
    let fits = bounds.left >= -TOLERANCE
        && bounds.top >= -TOLERANCE
        && bounds.right <= width + TOLERANCE
        && bounds.bottom <= height + TOLERANCE;
    !fits || bounds.clip(image.width, image.height).is_empty()
}

fn is_same(a: &Object, b: &Object) -> bool {
    (a.class, a.bounds, a.is_crowd) == (b.class, b.bounds, b.is_crowd)
}

fn judge_masks(dataset: &Dataset, facts: &[Facts], judgement: &mut Judgement) {
    let mut unreadable = Gathering::new(FindingKind::MaskUnreadable);
    let mut unknown = Gathering::new(FindingKind::UnknownClass);
    let mut size = Gathering::new(FindingKind::MaskSize);
    for index in findings::indices(dataset) {
        let Facts::Image(image) = &facts[index] else { continue };
        match &image.mask {
            None => {}
            Some(Err(error @ DataError::PixelValue { .. })) => unknown.add_bad(index, error.to_string()),
            Some(Err(error)) => unreadable.add_bad(index, error.to_string()),
            Some(Ok(mask)) if (mask.height, mask.width) != (image.height, image.width) => {
                let found =
                    format!("its mask is {}x{}, it is {}x{}", mask.height, mask.width, image.height, image.width);
                size.add_bad(index, format!("{}: {found} (height x width)", dataset.origin(index)));
            }
            Some(Ok(_)) => {}
        }
    }
    judgement.error(unreadable, "{} masks cannot be read: replace them or take them out");
    judgement.error(unknown, "{} masks have values that stand for no class: correct them, or name the classes");
    judgement.error(size, "{} masks are of another size than their image: bring them to one size");
}
