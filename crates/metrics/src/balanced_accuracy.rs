use crate::ConfusionMatrix;

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
        let (mut sum, mut count) = (0.0, 0);
        for class in (0..self.num_classes()).filter(|&class| self.num_targets(class) > 0) {
            sum += self.class_scores(class).recall;
            count += 1;
        }
        sum / f64::from(count)
    }
}
