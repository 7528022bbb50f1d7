/// The share of predictions that equal their target: `1/N sum_i [predicted_i = target_i]`, from 0 to 1.
///
/// # Panics
/// If the slices differ in length.
///
/// ```
/// assert_eq!(gyrus_metrics::accuracy(&[0, 2, 1, 1], &[0, 2, 1, 0]), 0.75);
/// ```
#[track_caller]
pub fn accuracy(predicted: &[usize], targets: &[usize]) -> f64 {
    assert!(
        predicted.len() == targets.len(),
        "accuracy: {} predictions and {} targets: there must be one prediction per target",
        predicted.len(),
        targets.len(),
    );
    let right = predicted.iter().zip(targets).filter(|(predicted, target)| predicted == target).count();
    right as f64 / targets.len() as f64
}

#[cfg(test)]
mod tests {
    use super::accuracy;

    #[test]
    fn of_no_samples_is_nan() {
        assert!(accuracy(&[], &[]).is_nan());
    }

    #[test]
    #[should_panic(expected = "1 predictions and 2 targets")]
    fn lengths_must_agree() {
        accuracy(&[1], &[1, 2]);
    }
}
