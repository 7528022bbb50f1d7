//! What was measured on data that the model has not seen.

use gyrus_metrics::{
    Average, ConfusionMatrix, cross_entropy, expected_calibration_error, reliability_bins, top_k_accuracy,
};
use serde::Serialize;

/// The result of a classifier on one split.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// The split, `test`.
    pub split: String,
    /// `confusion[target][predicted]`: how often each class was taken for each.
    pub confusion: Vec<Vec<u64>>,
    /// The scores of each class.
    pub classes: Vec<ClassScores>,
    /// The mean of the classes' F1.
    pub macro_f1: f64,
    /// The mean negative log-likelihood, in nats.
    pub loss: f64,
    /// The share of samples whose class is among the five most probable; with more than ten classes only.
    pub top_5_accuracy: Option<f64>,
    /// How sure the model was and how often right, in intervals of equal width.
    pub reliability: Vec<ReliabilityBin>,
    /// The mean distance of confidence and accuracy over these intervals.
    pub calibration_error: f64,
    /// The mistakes that the model was surest of, the surest first.
    pub mistakes: Vec<Mistake>,
}

/// The scores of one class, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassScores {
    /// Of those predicted to be of the class, the share that is.
    pub precision: f64,
    /// Of those that are of the class, the share found.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// The number of samples of the class.
    pub support: u64,
}

/// Samples of similar confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The number of samples.
    pub count: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

/// A sample that was classified wrongly.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Mistake {
    /// Its place among the samples that were evaluated, from 0.
    pub sample: usize,
    /// Its class.
    pub target: usize,
    /// What it was taken for.
    pub predicted: usize,
    /// The probability of what it was taken for.
    pub probability: f64,
    /// The probability of its class.
    pub target_probability: f64,
    /// Where it came from: a file, or a place in one.
    pub origin: String,
    /// What it looks like: an address as [`picture`](super::picture) makes it.
    pub picture: Option<String>,
}

/// The customary number of intervals of confidence.
const NUM_BINS: usize = 15;

/// How many mistakes are kept.
const NUM_MISTAKES: usize = 24;

impl Evaluation {
    /// Measures everything. Origins and pictures of the mistakes are left for the caller to fill in.
    ///
    /// # Shapes
    /// `probabilities` `[N, C]` row-major, `targets` `[N]`.
    ///
    /// # Panics
    /// If the lengths do not fit or a target is not below `num_classes`.
    #[track_caller]
    pub fn new(split: &str, probabilities: &[f32], num_classes: usize, targets: &[usize]) -> Self {
        let predicted: Vec<usize> = probabilities.chunks_exact(num_classes.max(1)).map(first_highest).collect();
        let matrix = ConfusionMatrix::from_labels(num_classes, &predicted, targets);
        let row = |target: usize| (0..num_classes).map(|predicted| matrix.count(target, predicted)).collect();
        let scores = |class: usize| {
            let scores = matrix.class_scores(class);
            let support = matrix.num_targets(class);
            ClassScores { precision: scores.precision, recall: scores.recall, f1: scores.f1, support }
        };
        let bins = reliability_bins(probabilities, num_classes, targets, NUM_BINS).into_iter().map(|bin| {
            let (confidence, accuracy) = if bin.count > 0 { (bin.confidence, bin.accuracy) } else { (0.0, 0.0) };
            ReliabilityBin { count: bin.count as u64, confidence, accuracy }
        });
        let top_5 = |_| top_k_accuracy(probabilities, num_classes, targets, 5);
        Self {
            split: split.to_owned(),
            confusion: (0..num_classes).map(row).collect(),
            classes: (0..num_classes).map(scores).collect(),
            macro_f1: matrix.average_scores(Average::Macro).f1,
            loss: cross_entropy(probabilities, num_classes, targets),
            top_5_accuracy: (num_classes > 10).then_some(()).map(top_5),
            reliability: bins.collect(),
            calibration_error: expected_calibration_error(probabilities, num_classes, targets, NUM_BINS),
            mistakes: surest_mistakes(probabilities, num_classes, targets, &predicted),
        }
    }

    /// The number of samples.
    pub fn num_samples(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// The number of samples that were classified wrongly.
    pub fn num_mistakes(&self) -> u64 {
        let right = self.confusion.iter().enumerate().filter_map(|(class, row)| row.get(class));
        self.num_samples() - right.sum::<u64>()
    }

    /// The share of samples that were classified rightly; NaN of nothing.
    pub fn accuracy(&self) -> f64 {
        let samples = self.num_samples();
        (samples - self.num_mistakes()) as f64 / samples as f64
    }

    /// The 95% interval of the accuracy on all data like these: [`wilson_interval`].
    pub fn accuracy_interval(&self) -> (f64, f64) {
        let samples = self.num_samples();
        wilson_interval(samples - self.num_mistakes(), samples)
    }

    /// The mean of the highest probabilities; NaN of nothing.
    pub fn mean_confidence(&self) -> f64 {
        let sum: f64 = self.reliability.iter().map(|bin| bin.count as f64 * bin.confidence).sum();
        sum / self.reliability.iter().map(|bin| bin.count).sum::<u64>() as f64
    }

    /// Pairs of classes that were confused, the commonest first: target, predicted, how often.
    pub(super) fn confusions(&self) -> Vec<(usize, usize, u64)> {
        let row = |(target, row): (usize, &Vec<u64>)| {
            let cells = row.iter().enumerate().map(move |(predicted, &count)| (target, predicted, count));
            cells.filter(|(target, predicted, count)| target != predicted && *count > 0).collect::<Vec<_>>()
        };
        let mut pairs: Vec<_> = self.confusion.iter().enumerate().flat_map(row).collect();
        pairs.sort_by_key(|&(target, predicted, count)| (std::cmp::Reverse(count), target, predicted));
        pairs
    }
}

/// The interval that holds the true share with 95% confidence, after `right` of `total` trials; all of 0 to 1 for none.
/// Unlike the textbook's `p ± 1.96 sqrt(p (1 - p) / n)` it holds near 0 and 1 and for few trials.
///
/// # Source
/// Wilson 1927, "Probable inference, the law of succession, and statistical inference".
///
/// ```
/// let (low, high) = gyrus_train::record::wilson_interval(8, 10);
/// assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4);
/// ```
pub fn wilson_interval(right: u64, total: u64) -> (f64, f64) {
    if total == 0 {
        return (0.0, 1.0);
    }
    // The 97.5% quantile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    let (n, share) = (total as f64, right as f64 / total as f64);
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

fn first_highest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

fn surest_mistakes(probabilities: &[f32], num_classes: usize, targets: &[usize], predicted: &[usize]) -> Vec<Mistake> {
    let mut wrong: Vec<usize> = (0..targets.len()).filter(|&sample| predicted[sample] != targets[sample]).collect();
    let probability = |sample: usize, class: usize| probabilities[sample * num_classes + class];
    let confidence = |sample: usize| probability(sample, predicted[sample]);
    wrong.sort_by(|&a, &b| confidence(b).total_cmp(&confidence(a)).then(a.cmp(&b)));
    let mistake = |sample: usize| Mistake {
        sample,
        target: targets[sample],
        predicted: predicted[sample],
        probability: f64::from(confidence(sample)),
        target_probability: f64::from(probability(sample, targets[sample])),
        ..Mistake::default()
    };
    wrong.into_iter().take(NUM_MISTAKES).map(mistake).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_reference() {
        // The roots of the score equation (p - right / total)^2 = z^2 p (1 - p) / total, found by bisection.
        let known =
            [(0, 10, 0.0, 0.2775327998628892), (10, 10, 0.7224672001371106, 1.0), (8, 10, 0.4901624715, 0.9433178485)];
        for (right, total, low, high) in known {
            let interval = wilson_interval(right, total);
            assert!(
                (interval.0 - low).abs() < 1e-9 && (interval.1 - high).abs() < 1e-9,
                "{right} of {total}: {interval:?}"
            );
        }
        assert_eq!(wilson_interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn everything_is_measured_once() {
        let probabilities = [0.9, 0.1, 0.4, 0.6, 0.8, 0.2, 0.3, 0.7];
        let evaluation = Evaluation::new("test", &probabilities, 2, &[0, 0, 1, 1]);
        assert_eq!(evaluation.confusion, [[1, 1], [1, 1]]);
        assert_eq!((evaluation.num_samples(), evaluation.num_mistakes(), evaluation.accuracy()), (4, 2, 0.5));
        assert_eq!(evaluation.classes[1], ClassScores { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
        assert!((evaluation.mean_confidence() - 0.75).abs() < 1e-6);
        let samples: Vec<_> = evaluation.mistakes.iter().map(|mistake| mistake.sample).collect();
        assert_eq!(samples, [2, 1], "the surest mistake comes first");
        assert!((evaluation.mistakes[0].target_probability - 0.2).abs() < 1e-6);
        assert_eq!(evaluation.top_5_accuracy, None);
    }

    #[test]
    fn nothing_is_no_panic() {
        let evaluation = Evaluation::new("test", &[], 3, &[]);
        assert!(evaluation.accuracy().is_nan() && evaluation.mistakes.is_empty());
    }
}
