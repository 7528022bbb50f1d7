use crate::ConfusionMatrix;

impl ConfusionMatrix {
    /// Cohen's kappa: agreement beyond that by chance, `(p_o - p_e) / (1 - p_e)`, where `p_o` is accuracy and `p_e` the
    /// accuracy of independent labels of the same frequencies; 1 is perfect, 0 is chance. NaN where all targets and
    /// predictions are of one class, and of nothing.
    ///
    /// # Source
    /// Cohen 1960, equation 1; `sklearn.metrics.cohen_kappa_score`.
    ///
    /// ```
    /// let matrix = gyrus_metrics::ConfusionMatrix::from_labels(2, &[0, 0, 1, 1], &[0, 1, 1, 1]);
    /// assert_eq!(matrix.cohen_kappa(), 0.5);
    /// ```
    pub fn cohen_kappa(&self) -> f64 {
        let total = self.total() as f64;
        let pairs = |class: usize| self.num_targets(class) as f64 * self.num_predicted(class) as f64;
        let expected = (0..self.num_classes()).map(pairs).sum::<f64>() / (total * total);
        (self.accuracy() - expected) / (1.0 - expected)
    }
}
