use crate::PrecisionRecallCurve;

/// The area under precision over recall of one class against the rest, in steps, from 0 to 1; NaN where there are no
/// positives.
///
/// # Shapes
/// `scores` `[N]`, `is_positive` `[N]`.
///
/// # Panics
/// If the slices differ in length or a score is NaN.
///
/// # Source
/// `sklearn.metrics.average_precision_score`; see [`PrecisionRecallCurve::average_precision`].
#[track_caller]
pub fn average_precision(scores: &[f32], is_positive: &[bool]) -> f64 {
    PrecisionRecallCurve::new(scores, is_positive).average_precision()
}
