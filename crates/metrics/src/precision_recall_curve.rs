use std::cmp::Ordering;

/// Precision, recall and F1 of "positive is what scores at least so much", at each score that occurs, highest first.
///
/// Equal scores are one point: no threshold tells them apart.
///
/// # Source
/// `sklearn.metrics.precision_recall_curve`, without its last point of recall 0.
///
/// ```
/// use gyrus_metrics::PrecisionRecallCurve;
/// let curve = PrecisionRecallCurve::new(&[0.9, 0.8, 0.4, 0.1], &[true, false, true, false]);
/// let best = curve.best_f1().unwrap();
/// assert_eq!((best.precision, best.recall), (2.0 / 3.0, 1.0));
/// assert_eq!(curve.average_precision(), 0.5 * 1.0 + 0.5 * 2.0 / 3.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PrecisionRecallCurve {
    points: Vec<PrecisionRecallPoint>,
    num_positives: usize,
}

/// The scores that a threshold gives, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecallPoint {
    /// What scores at least this is called positive.
    pub threshold: f64,
    /// Of those called positive, the share that is.
    pub precision: f64,
    /// Of the positive, the share called so; NaN where there are none.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

impl PrecisionRecallCurve {
    /// The curve of scored samples.
    ///
    /// # Shapes
    /// `scores` `[N]`, `is_positive` `[N]`.
    ///
    /// # Panics
    /// If the slices differ in length or a score is NaN.
    #[track_caller]
    pub fn new(scores: &[f32], is_positive: &[bool]) -> Self {
        let samples = scored_samples("PrecisionRecallCurve", scores, is_positive);
        Self::of_found(samples, is_positive.iter().filter(|&&is_positive| is_positive).count())
    }

    /// The curve of what was found (score, and whether it is right) among `num_positives` that were to be found, some
    /// of which may have no score.
    ///
    /// # Panics
    /// If a score is NaN.
    #[track_caller]
    pub fn of_found(mut found: Vec<(f64, bool)>, num_positives: usize) -> Self {
        found.sort_by(|a, b| falling(a.0, b.0));
        let mut points = vec![];
        let (mut num_right, mut num_called) = (0usize, 0usize);
        for equal in found.chunk_by(|a, b| a.0 == b.0) {
            num_called += equal.len();
            num_right += equal.iter().filter(|sample| sample.1).count();
            points.push(PrecisionRecallPoint {
                threshold: equal[0].0,
                precision: num_right as f64 / num_called as f64,
                recall: num_right as f64 / num_positives as f64,
                f1: 2.0 * num_right as f64 / (num_called + num_positives) as f64,
            });
        }
        Self { points, num_positives }
    }

    /// The points, highest threshold first.
    pub fn points(&self) -> &[PrecisionRecallPoint] {
        &self.points
    }

    /// The number of positives.
    pub fn num_positives(&self) -> usize {
        self.num_positives
    }

    /// The point of highest F1, of several that of the highest threshold; nothing where nothing was scored.
    pub fn best_f1(&self) -> Option<PrecisionRecallPoint> {
        self.points.iter().copied().reduce(|best, point| if point.f1 > best.f1 { point } else { best })
    }

    /// The area under precision over recall, in steps: `sum_n (recall_n - recall_{n-1}) precision_n`, from 0 to 1; NaN
    /// where there are no positives.
    ///
    /// # Source
    /// `sklearn.metrics.average_precision_score`. COCO's and Pascal VOC's average precisions are other quantities: they
    /// take the highest precision at a recall or a higher one.
    pub fn average_precision(&self) -> f64 {
        if self.num_positives == 0 {
            return f64::NAN;
        }
        let previous = std::iter::once(0.0).chain(self.points.iter().map(|point| point.recall));
        self.points.iter().zip(previous).map(|(point, before)| (point.recall - before) * point.precision).sum()
    }
}

/// The order of falling numbers, none of which is NaN.
pub(crate) fn falling(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).expect("no score is NaN")
}

/// Scores beside truths, once they are known to fit.
#[track_caller]
pub(crate) fn scored_samples(metric: &str, scores: &[f32], is_positive: &[bool]) -> Vec<(f64, bool)> {
    assert!(
        scores.len() == is_positive.len(),
        "{metric}: {} scores and {} targets: there must be one score per target",
        scores.len(),
        is_positive.len(),
    );
    let sample = |(&score, &is_positive): (&f32, &bool)| (f64::from(score), is_positive);
    let samples: Vec<(f64, bool)> = scores.iter().zip(is_positive).map(sample).collect();
    assert!(!samples.iter().any(|sample| sample.0.is_nan()), "{metric}: a score is NaN: scores must be numbers");
    samples
}

#[cfg(test)]
mod tests {
    use super::PrecisionRecallCurve;

    #[test]
    fn nothing_is_nan_and_what_was_not_found_lowers_recall() {
        let empty = PrecisionRecallCurve::new(&[], &[]);
        assert!(empty.average_precision().is_nan() && empty.best_f1().is_none());
        let half = PrecisionRecallCurve::of_found(vec![(0.5, true)], 2);
        assert_eq!((half.points()[0].recall, half.average_precision()), (0.5, 0.5));
    }

    #[test]
    #[should_panic(expected = "a score is NaN")]
    fn scores_are_checked() {
        PrecisionRecallCurve::new(&[f32::NAN], &[true]);
    }
}
