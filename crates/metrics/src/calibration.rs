use crate::rows_with_targets;

/// The samples whose confidence falls into one interval: how sure the model was and how often it was right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReliabilityBin {
    /// The number of samples.
    pub count: usize,
    /// The mean of the highest probability of each sample, from 0 to 1; NaN where `count` is 0.
    pub confidence: f64,
    /// The share of samples whose most probable class is the target; NaN where `count` is 0.
    pub accuracy: f64,
}

/// Sorts samples by confidence (their highest probability) into `num_bins` intervals of equal width,
/// `((b - 1)/B, b/B]`: the data of a reliability diagram.
///
/// # Shapes
/// `probabilities` `[N, C]` row-major, `targets` `[N]`.
///
/// # Panics
/// If the lengths do not fit, a target is not below `num_classes`, or `num_bins` is 0.
#[track_caller]
pub fn reliability_bins(
    probabilities: &[f32],
    num_classes: usize,
    targets: &[usize],
    num_bins: usize,
) -> Vec<ReliabilityBin> {
    assert!(num_bins > 0, "reliability_bins: num_bins is 0: it must be at least 1 (15 is customary)");
    let mut bins = vec![ReliabilityBin::default(); num_bins];
    for (row, target) in rows_with_targets("reliability_bins", probabilities, num_classes, targets) {
        let first_highest = |best: usize, class: usize| if row[class] > row[best] { class } else { best };
        let predicted = (1..num_classes).fold(0, first_highest);
        let confidence = f64::from(row[predicted]);
        let bin = ((confidence * num_bins as f64).ceil() as usize).clamp(1, num_bins) - 1;
        bins[bin].count += 1;
        bins[bin].confidence += confidence;
        bins[bin].accuracy += f64::from(u8::from(predicted == target));
    }
    for bin in &mut bins {
        bin.confidence /= bin.count as f64;
        bin.accuracy /= bin.count as f64;
    }
    bins
}

/// The expected calibration error: how far stated confidence is from observed accuracy, on average, from 0 to 1.
///
/// `ECE = sum_b n_b/N |accuracy_b - confidence_b|` over the intervals of [`reliability_bins`]. With 15 bins it is
/// the customary figure; the value depends on the number of bins, so state it.
///
/// # Shapes
/// `probabilities` `[N, C]` row-major, `targets` `[N]`.
///
/// # Panics
/// As [`reliability_bins`].
///
/// # Source
/// Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
///
/// ```
/// let overconfident = gyrus_metrics::expected_calibration_error(&[0.9, 0.1, 0.9, 0.1], 2, &[0, 1], 15);
/// assert!((overconfident - 0.4).abs() < 1e-6);
/// ```
#[track_caller]
pub fn expected_calibration_error(
    probabilities: &[f32],
    num_classes: usize,
    targets: &[usize],
    num_bins: usize,
) -> f64 {
    let bins = reliability_bins(probabilities, num_classes, targets, num_bins);
    let gap = |bin: &ReliabilityBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().filter(|bin| bin.count > 0).map(gap).sum::<f64>() / targets.len() as f64
}

#[cfg(test)]
mod tests {
    use super::reliability_bins;

    #[test]
    fn an_upper_bound_belongs_to_its_interval() {
        let bins = reliability_bins(&[0.5, 0.5, 1.0, 0.0, 0.51, 0.49], 2, &[0, 1, 0], 2);
        assert_eq!((bins[0].count, bins[0].accuracy), (1, 1.0));
        assert_eq!((bins[1].count, bins[1].accuracy), (2, 0.5));
    }
}
