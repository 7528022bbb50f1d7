use crate::Region;

/// Greedy non-maximum suppression: of regions that overlap by more than `threshold`, only that of the highest score
/// stays. Gives the places of those that stay, highest score first.
///
/// Regions are visited by falling score, equal scores in the given order; one that was visited and not dropped
/// drops all later ones whose intersection over union with it is *above* `threshold`. A score of NaN comes last.
///
/// # Panics
/// If there are not as many scores as regions.
///
/// # Source
/// `torchvision.ops.nms`.
///
/// ```
/// use gyrus_geometry::{Xyxy, non_maximum_suppression};
/// let boxes = [Xyxy::new(0.0, 0.0, 9.0, 9.0), Xyxy::new(0.0, 0.0, 9.0, 10.0), Xyxy::new(20.0, 0.0, 25.0, 5.0)];
/// assert_eq!(non_maximum_suppression(&boxes, &[0.5, 0.9, 0.7], 0.5), [1, 2]);
/// ```
#[track_caller]
pub fn non_maximum_suppression<R: Region>(regions: &[R], scores: &[f64], threshold: f64) -> Vec<usize> {
    suppress(regions, scores, threshold, |_, _| true)
}

/// [`non_maximum_suppression`] in which only regions of one class drop each other.
///
/// # Panics
/// If there are not as many scores and classes as regions.
///
/// # Source
/// `torchvision.ops.batched_nms`.
#[track_caller]
pub fn non_maximum_suppression_by_class<R: Region>(
    regions: &[R],
    scores: &[f64],
    classes: &[usize],
    threshold: f64,
) -> Vec<usize> {
    assert!(
        regions.len() == classes.len(),
        "non_maximum_suppression: {} regions and {} classes: there must be one class per region",
        regions.len(),
        classes.len(),
    );
    suppress(regions, scores, threshold, |kept, candidate| classes[kept] == classes[candidate])
}

#[track_caller]
fn suppress<R: Region>(
    regions: &[R],
    scores: &[f64],
    threshold: f64,
    compete: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    assert!(
        regions.len() == scores.len(),
        "non_maximum_suppression: {} regions and {} scores: there must be one score per region",
        regions.len(),
        scores.len(),
    );
    let mut order: Vec<usize> = (0..regions.len()).collect();
    let rank = |place: usize| if scores[place].is_nan() { f64::NEG_INFINITY } else { scores[place] };
    order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)));
    let mut kept: Vec<usize> = vec![];
    for candidate in order {
        let drops = |&other: &usize| {
            compete(other, candidate) && regions[other].intersection_over_union(&regions[candidate]) > threshold
        };
        if !kept.iter().any(drops) {
            kept.push(candidate);
        }
    }
    kept
}
