use crate::precision_recall_curve::{falling, scored_samples};
use crate::{mean, rows_with_targets};

/// The area under the receiver operating characteristic: how often a positive scores higher than a negative,
/// `P(s+ > s-) + P(s+ = s-) / 2`, from 0 to 1, 0.5 by chance; NaN unless there are both.
///
/// # Shapes
/// `scores` `[N]`, `is_positive` `[N]`.
///
/// # Panics
/// If the slices differ in length or a score is NaN.
///
/// # Source
/// Hanley and McNeil 1982; `sklearn.metrics.roc_auc_score`.
///
/// ```
/// assert_eq!(gyrus_metrics::auroc(&[0.1, 0.5, 0.5, 0.9], &[false, false, true, true]), 0.875);
/// ```
#[track_caller]
pub fn auroc(scores: &[f32], is_positive: &[bool]) -> f64 {
    let mut samples = scored_samples("auroc", scores, is_positive);
    samples.sort_by(|a, b| falling(a.0, b.0));
    // Of each negative, twice the positives that score higher, and once those that score the same.
    let (mut twice, mut num_positives, mut num_negatives) = (0u128, 0u128, 0u128);
    for equal in samples.chunk_by(|a, b| a.0 == b.0) {
        let positives = equal.iter().filter(|sample| sample.1).count() as u128;
        let negatives = equal.len() as u128 - positives;
        twice += negatives * (2 * num_positives + positives);
        num_positives += positives;
        num_negatives += negatives;
    }
    twice as f64 / (2 * num_positives * num_negatives) as f64
}

/// The mean over classes of the [`auroc`] of each class against the rest, each class counting the same; classes
/// without a target, or with all of them, are left out.
///
/// # Shapes
/// `scores` `[N, C]` row-major, `targets` `[N]`.
///
/// # Panics
/// If the lengths do not fit, a target is not below `num_classes`, or a score is NaN.
///
/// # Source
/// `sklearn.metrics.roc_auc_score` with `multi_class="ovr"`.
#[track_caller]
pub fn auroc_one_vs_rest(scores: &[f32], num_classes: usize, targets: &[usize]) -> f64 {
    let rows: Vec<(&[f32], usize)> = rows_with_targets("auroc_one_vs_rest", scores, num_classes, targets).collect();
    let of = |class: usize| {
        let column: Vec<f32> = rows.iter().map(|(row, _)| row[class]).collect();
        let is_positive: Vec<bool> = rows.iter().map(|&(_, target)| target == class).collect();
        auroc(&column, &is_positive)
    };
    mean((0..num_classes).map(of))
}
