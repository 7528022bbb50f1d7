//! Which detections of one class in one picture find which truths, by COCO's rule.

use gyrus_geometry::Region;

use super::{Detection, Truth};

/// The number of thresholds of intersection over union: 0.50, 0.55, ..., 0.95.
pub(super) const NUM_THRESHOLDS: usize = 10;

/// The ranges of area, in square pixels, both ends included: all, small, medium, large.
pub(super) const AREAS: [(f64, f64); 4] =
    [(0.0, 1e10), (0.0, 32.0 * 32.0), (32.0 * 32.0, 96.0 * 96.0), (96.0 * 96.0, 1e10)];

/// What became of one detection within each range of area: bit `t` stands for the threshold of place `t`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// It found a truth that counts.
    pub is_right: [u16; AREAS.len()],
    /// It counts neither as right nor as wrong.
    pub is_ignored: [u16; AREAS.len()],
}

/// The threshold of a place, in the arithmetic of `numpy.linspace`, to the bit.
pub(super) fn threshold(place: usize) -> f64 {
    if place + 1 == NUM_THRESHOLDS { 0.95 } else { 0.5 + place as f64 * ((0.95 - 0.5) / 9.0) }
}

/// Whether an area lies within the range of a place.
fn is_within(area: f64, range: usize) -> bool {
    (AREAS[range].0..=AREAS[range].1).contains(&area)
}

/// Matches detections, highest score first, to truths. Gives what became of each detection, and how many truths
/// count in each range of area.
///
/// Each detection in turn takes the truth that it overlaps most, of those that no earlier one took, if by the
/// threshold or more; a truth that counts is preferred to one that is ignored (a crowd, or of an area out of range),
/// and a crowd can be taken any number of times. What takes an ignored truth is ignored, as is what takes none and
/// is itself out of range.
pub(super) fn match_detections<R: Region>(
    truths: &[&Truth<R>],
    detections: &[&Detection<R>],
) -> (Vec<Outcome>, [usize; AREAS.len()]) {
    let near: Vec<Vec<(usize, f64)>> = detections.iter().map(|detection| near_truths(truths, detection)).collect();
    let areas: Vec<f64> = detections.iter().map(|detection| detection.region.area()).collect();
    let mut outcomes = vec![Outcome::default(); detections.len()];
    let mut counts = [0; AREAS.len()];
    for (range, count) in counts.iter_mut().enumerate() {
        let is_counted = |truth: &&Truth<R>| !truth.is_ignored && is_within(truth.area, range);
        let is_counted: Vec<bool> = truths.iter().map(is_counted).collect();
        *count = is_counted.iter().filter(|&&is_counted| is_counted).count();
        for place in 0..NUM_THRESHOLDS {
            let mut is_taken = vec![false; truths.len()];
            for (detection, outcome) in outcomes.iter_mut().enumerate() {
                let best = |counted: bool| {
                    let is_free = |&&(truth, overlap): &&(usize, f64)| {
                        is_counted[truth] == counted && !is_taken[truth] && overlap >= threshold(place)
                    };
                    // Of equal overlaps the last.
                    let free = near[detection].iter().filter(is_free);
                    free.reduce(|best, own| if own.1 >= best.1 { own } else { best }).map(|own| own.0)
                };
                let bits = if let Some(truth) = best(true) {
                    is_taken[truth] = true;
                    &mut outcome.is_right
                } else if let Some(truth) = best(false) {
                    is_taken[truth] = !truths[truth].is_ignored;
                    &mut outcome.is_ignored
                } else if !is_within(areas[detection], range) {
                    &mut outcome.is_ignored
                } else {
                    continue;
                };
                bits[range] |= 1 << place;
            }
        }
    }
    (outcomes, counts)
}

/// The truths that a detection overlaps by the lowest threshold or more, with the overlap: of a crowd, the share of the
/// detection that lies in it, else intersection over union.
fn near_truths<R: Region>(truths: &[&Truth<R>], detection: &Detection<R>) -> Vec<(usize, f64)> {
    let overlap = |truth: &&Truth<R>| match truth.is_ignored {
        true => detection.region.intersection_over_area(&truth.region),
        false => detection.region.intersection_over_union(&truth.region),
    };
    truths.iter().map(overlap).enumerate().filter(|near| near.1 >= threshold(0)).collect()
}
