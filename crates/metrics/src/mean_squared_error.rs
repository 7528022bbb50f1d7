/// The mean of squared differences, `1/N sum_i (predicted_i - target_i)^2`, in the square of the targets' unit.
///
/// # Panics
/// If the slices differ in length.
///
/// ```
/// assert_eq!(gyrus_metrics::mean_squared_error(&[1.0, 3.0], &[1.0, 1.0]), 2.0);
/// ```
#[track_caller]
pub fn mean_squared_error(predicted: &[f32], targets: &[f32]) -> f64 {
    assert!(
        predicted.len() == targets.len(),
        "mean_squared_error: {} predictions and {} targets: there must be one prediction per target",
        predicted.len(),
        targets.len(),
    );
    let square = |(&predicted, &target): (&f32, &f32)| (f64::from(predicted) - f64::from(target)).powi(2);
    predicted.iter().zip(targets).map(square).sum::<f64>() / targets.len() as f64
}
