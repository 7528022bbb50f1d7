//! Metrics: pure functions over plain slices, each with its published definition.
//!
//! Scores of several samples are one row-major slice of shape `[N, C]` (samples, classes); labels are class
//! indices. A metric of no samples is NaN: there is nothing to be right or wrong about. Slices that do not fit
//! together are a mistake of the calling code and panic, naming both lengths.
//!
//! Figures of one name differ between tools: each has a [`signature`] that says how it was computed.

mod accuracy;
mod auroc;
mod average_precision;
mod balanced_accuracy;
mod calibration;
mod cohen_kappa;
mod confusion_matrix;
mod cross_entropy;
mod detection;
mod matthews_correlation;
mod mean_squared_error;
mod multi_label;
mod precision_recall_curve;
mod rank_correlation;
mod running_statistics;
mod segmentation;
pub mod signature;
mod top_k_accuracy;

pub use accuracy::accuracy;
pub use auroc::{auroc, auroc_one_vs_rest};
pub use average_precision::average_precision;
pub use calibration::{ReliabilityBin, expected_calibration_error, reliability_bins};
pub use confusion_matrix::{Average, ConfusionMatrix, Scores};
pub use cross_entropy::cross_entropy;
pub use detection::{
    CocoClassScores, CocoEvaluator, CocoScores, Detection, PanopticEvaluator, PanopticScores, PascalVocEvaluator,
    PascalVocInterpolation, Truth, localization_accuracy,
};
pub use mean_squared_error::mean_squared_error;
pub use multi_label::{MultiLabelCounts, mean_average_precision};
pub use precision_recall_curve::{PrecisionRecallCurve, PrecisionRecallPoint};
pub use rank_correlation::rank_correlation;
pub use running_statistics::RunningStatistics;
pub use segmentation::{SegmentationClassScores, SegmentationScores};
pub use top_k_accuracy::top_k_accuracy;

/// Rows of a `[N, C]` slice beside their targets, once their lengths are known to fit.
#[track_caller]
fn rows_with_targets<'a>(
    metric: &str,
    scores: &'a [f32],
    num_classes: usize,
    targets: &'a [usize],
) -> impl Iterator<Item = (&'a [f32], usize)> {
    assert!(num_classes > 0, "{metric}: num_classes is 0; pass the number of columns of the scores");
    assert!(
        scores.len() == targets.len() * num_classes,
        "{metric}: {} scores and {} targets with {num_classes} classes: scores must be [N, C], one row per target",
        scores.len(),
        targets.len(),
    );
    if let Some(target) = targets.iter().find(|&&target| target >= num_classes) {
        panic!("{metric}: target {target} with {num_classes} classes: targets must be in 0..{num_classes}");
    }
    scores.chunks_exact(num_classes).zip(targets.iter().copied())
}

/// The mean of those values that are numbers; NaN of none.
fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for value in values.into_iter().filter(|value| !value.is_nan()) {
        sum += value;
        count += 1;
    }
    sum / f64::from(count)
}
