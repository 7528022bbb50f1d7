use crate::rows_with_targets;

/// The mean negative log-likelihood of the targets, in nats: `-1/N sum_i ln p_i[target_i]`.
///
/// Probabilities are clipped to `[eps, 1 - eps]`, `eps = 2^-23`, the resolution of `f32`, so that one confident
/// mistake costs at most 15.9 and not infinity. Rows are taken as they are, not normalised. NaN stays NaN.
///
/// # Shapes
/// `probabilities` `[N, C]` row-major, each row summing to 1; `targets` `[N]`.
///
/// # Panics
/// If the lengths do not fit or a target is not below `num_classes`.
///
/// # Source
/// `sklearn.metrics.log_loss` on single-precision input, clipping included.
///
/// ```
/// let loss = gyrus_metrics::cross_entropy(&[0.5, 0.5, 0.25, 0.75], 2, &[0, 0]);
/// assert!((loss - (2f64.ln() + 4f64.ln()) / 2.0).abs() < 1e-12);
/// ```
#[track_caller]
pub fn cross_entropy(probabilities: &[f32], num_classes: usize, targets: &[usize]) -> f64 {
    let eps = f64::from(f32::EPSILON);
    let surprise = |(row, target): (&[f32], usize)| -f64::from(row[target]).clamp(eps, 1.0 - eps).ln();
    rows_with_targets("cross_entropy", probabilities, num_classes, targets).map(surprise).sum::<f64>()
        / targets.len() as f64
}

#[cfg(test)]
mod tests {
    use super::cross_entropy;

    #[test]
    fn a_confident_mistake_is_finite_and_nan_is_not_hidden() {
        assert!((cross_entropy(&[0.0, 1.0], 2, &[0]) - 15.942385).abs() < 1e-6);
        assert!(cross_entropy(&[f32::NAN, 1.0], 2, &[0]).is_nan());
    }
}
