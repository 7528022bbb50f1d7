use crate::{ConfusionMatrix, mean};

impl ConfusionMatrix {
    /// The mean recall of the classes that have targets, each counting the same: accuracy as if classes were equally
    /// frequent; NaN of nothing.
    ///
    /// # Source
    /// `sklearn.metrics.balanced_accuracy_score`; in segmentation, "class-average accuracy".
    ///
    /// ```
    /// let matrix = gyrus_metrics::ConfusionMatrix::from_labels(2, &[0, 0, 0, 0], &[0, 0, 0, 1]);
    /// assert_eq!((matrix.accuracy(), matrix.balanced_accuracy()), (0.75, 0.5));
    /// ```
    pub fn balanced_accuracy(&self) -> f64 {
        let with_targets = (0..self.num_classes()).filter(|&class| self.num_targets(class) > 0);
        mean(with_targets.map(|class| self.class_scores(class).recall))
    }
}
