use crate::ConfusionMatrix;

impl ConfusionMatrix {
    /// The Matthews correlation coefficient, from -1 to 1: the correlation of targets and predictions as vectors of
    /// zeros and a one. With `c` of `s` samples right and `t_k`, `p_k` the numbers of targets and predictions of class
    /// `k`: `(c s - sum_k t_k p_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2))`; 0 where all targets or all
    /// predictions are of one class.
    ///
    /// # Source
    /// Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient", equation 8;
    /// `sklearn.metrics.matthews_corrcoef`.
    ///
    /// ```
    /// let matrix = gyrus_metrics::ConfusionMatrix::from_labels(2, &[0, 0, 1, 1], &[1, 1, 0, 0]);
    /// assert_eq!(matrix.matthews_correlation(), -1.0);
    /// ```
    pub fn matthews_correlation(&self) -> f64 {
        let sum = |of: &dyn Fn(usize) -> f64| (0..self.num_classes()).map(of).sum::<f64>();
        let (targets, predicted) =
            (|class: usize| self.num_targets(class) as f64, |class: usize| self.num_predicted(class) as f64);
        let total = self.total() as f64;
        let right = sum(&|class| self.count(class, class) as f64);
        let covariance = right * total - sum(&|class| targets(class) * predicted(class));
        let of_targets = total * total - sum(&|class| targets(class).powi(2));
        let of_predicted = total * total - sum(&|class| predicted(class).powi(2));
        if of_targets * of_predicted == 0.0 { 0.0 } else { covariance / (of_targets * of_predicted).sqrt() }
    }
}
