/// Mean, variance and range of values that arrive one at a time, without keeping them.
///
/// Numerically stable where the sum of squares is not: the mean and the sum of squared deviations are updated
/// directly. Values may carry weights (the samples of a batch whose mean loss is given).
///
/// # Source
/// Welford 1962 for one value; Chan, Golub and LeVeque 1979 for [`merge`](Self::merge).
///
/// ```
/// let mut loss = gyrus_metrics::RunningStatistics::new();
/// loss.add_weighted(0.5, 64.0);
/// loss.add_weighted(1.0, 32.0);
/// assert!((loss.mean() - 2.0 / 3.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunningStatistics {
    weight: f64,
    mean: f64,
    squared_deviations: f64,
    min: f64,
    max: f64,
}

impl RunningStatistics {
    /// The statistics of nothing yet.
    pub const fn new() -> Self {
        Self { weight: 0.0, mean: 0.0, squared_deviations: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }

    /// Takes in one value.
    pub fn add(&mut self, value: f64) {
        self.add_weighted(value, 1.0);
    }

    /// Takes in a value that stands for `weight` values.
    pub fn add_weighted(&mut self, value: f64, weight: f64) {
        self.merge(&Self { weight, mean: value, squared_deviations: 0.0, min: value, max: value });
    }

    /// Takes in everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.weight == 0.0 {
            return;
        }
        let weight = self.weight + other.weight;
        let difference = other.mean - self.mean;
        self.mean += difference * other.weight / weight;
        self.squared_deviations +=
            other.squared_deviations + difference * difference * self.weight * other.weight / weight;
        self.weight = weight;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The sum of weights: the number of values where none was given a weight.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The mean; NaN of nothing.
    pub fn mean(&self) -> f64 {
        if self.weight == 0.0 { f64::NAN } else { self.mean }
    }

    /// The variance of the values seen, `1/N sum (x - mean)^2` (divided by N, not N - 1); NaN of nothing.
    pub fn variance(&self) -> f64 {
        self.squared_deviations / self.weight
    }

    /// The square root of the variance.
    pub fn standard_deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The smallest value; infinity of nothing.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest value; minus infinity of nothing.
    pub fn max(&self) -> f64 {
        self.max
    }
}

impl Default for RunningStatistics {
    fn default() -> Self {
        Self::new()
    }
}

impl Extend<f64> for RunningStatistics {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value));
    }
}

#[cfg(test)]
mod tests {
    use super::RunningStatistics;

    fn of(values: &[f64]) -> RunningStatistics {
        let mut statistics = RunningStatistics::new();
        statistics.extend(values.iter().copied());
        statistics
    }

    #[test]
    fn stays_exact_far_from_zero() {
        let statistics = of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
        assert_eq!((statistics.mean(), statistics.variance()), (1e9 + 10.0, 22.5));
        assert_eq!((statistics.min(), statistics.max()), (1e9 + 4.0, 1e9 + 16.0));
    }

    #[test]
    fn weights_and_merging_equal_repetition() {
        let all = of(&[1.0, 1.0, 1.0, 5.0, 7.0]);
        let mut merged = RunningStatistics::new();
        merged.add_weighted(1.0, 3.0);
        merged.merge(&of(&[5.0, 7.0]));
        merged.merge(&RunningStatistics::new());
        assert!((merged.mean() - all.mean()).abs() < 1e-12 && (merged.variance() - all.variance()).abs() < 1e-12);
        assert_eq!(merged.weight(), 5.0);
    }

    #[test]
    fn nothing_has_no_mean_and_nan_is_not_hidden() {
        assert!(RunningStatistics::new().mean().is_nan() && RunningStatistics::new().variance().is_nan());
        assert!(of(&[1.0, f64::NAN, 2.0]).mean().is_nan());
    }
}
