use crate::confusion_matrix::{ClassCounts, average, scores};
use crate::{Average, Scores, average_precision, mean};

/// How well labels were told of which a sample may have any number: the counts of each label, and of samples of which
/// every label is right.
///
/// ```
/// use gyrus_metrics::{Average, MultiLabelCounts};
/// let mut counts = MultiLabelCounts::new(2);
/// counts.add(&[true, false], &[true, false]);
/// counts.add(&[true, false], &[true, true]);
/// assert_eq!(counts.subset_accuracy(), 0.5);
/// assert_eq!(counts.average_scores(Average::Micro).f1, 0.8);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiLabelCounts {
    labels: Vec<ClassCounts>,
    num_samples: u64,
    num_exact: u64,
}

impl MultiLabelCounts {
    /// Counts of nothing yet.
    pub fn new(num_labels: usize) -> Self {
        Self { labels: vec![ClassCounts::default(); num_labels], num_samples: 0, num_exact: 0 }
    }

    /// Counts one sample.
    ///
    /// # Shapes
    /// `predicted` `[L]`, `targets` `[L]`.
    ///
    /// # Panics
    /// If the slices are not as long as there are labels.
    #[track_caller]
    pub fn add(&mut self, predicted: &[bool], targets: &[bool]) {
        assert!(
            predicted.len() == self.labels.len() && targets.len() == self.labels.len(),
            "MultiLabelCounts: {} predictions and {} targets with {} labels: there must be one of each per label",
            predicted.len(),
            targets.len(),
            self.labels.len(),
        );
        for (counts, (&predicted, &target)) in self.labels.iter_mut().zip(predicted.iter().zip(targets)) {
            counts.right += u64::from(predicted && target);
            counts.predicted += u64::from(predicted);
            counts.targets += u64::from(target);
        }
        self.num_samples += 1;
        self.num_exact += u64::from(predicted == targets);
    }

    /// The share of samples of which every label is right, from 0 to 1; NaN of nothing.
    ///
    /// # Source
    /// `sklearn.metrics.accuracy_score` of multi-label targets.
    pub fn subset_accuracy(&self) -> f64 {
        self.num_exact as f64 / self.num_samples as f64
    }

    /// Precision, recall and F1 of one label; a quotient with nothing to divide by is 0.
    ///
    /// # Panics
    /// If the label is not below the number of labels.
    #[track_caller]
    pub fn label_scores(&self, label: usize) -> Scores {
        scores(self.labels[label])
    }

    /// Precision, recall and F1 over all labels, labels that never occur included (each scores 0 in the macro average).
    ///
    /// # Source
    /// `sklearn.metrics.precision_recall_fscore_support` of multi-label targets.
    pub fn average_scores(&self, how: Average) -> Scores {
        average(self.labels.iter().copied(), how)
    }
}

/// The mean over labels of the [`average_precision`] of each label; labels without positives are left out, and of none
/// it is NaN.
///
/// # Shapes
/// `scores` `[N, L]` row-major, `targets` `[N, L]`.
///
/// # Panics
/// If the slices differ in length or are no rows of `num_labels`, or a score is NaN.
///
/// # Source
/// `sklearn.metrics.average_precision_score` with `average="macro"`, which gives labels without positives a 0.
#[track_caller]
pub fn mean_average_precision(scores: &[f32], num_labels: usize, targets: &[bool]) -> f64 {
    assert!(
        num_labels > 0 && scores.len() == targets.len() && scores.len().is_multiple_of(num_labels),
        "mean_average_precision: {} scores and {} targets with {num_labels} labels: both must be [N, L]",
        scores.len(),
        targets.len(),
    );
    let of = |label: usize| {
        let column: Vec<f32> = scores.iter().skip(label).step_by(num_labels).copied().collect();
        let is_positive: Vec<bool> = targets.iter().skip(label).step_by(num_labels).copied().collect();
        average_precision(&column, &is_positive)
    };
    mean((0..num_labels).map(of))
}
