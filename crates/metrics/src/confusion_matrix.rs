use std::fmt;

/// How often each class was taken for each other: rows are targets, columns predictions.
///
/// ```
/// let matrix = gyrus_metrics::ConfusionMatrix::from_labels(2, &[0, 1, 1], &[0, 1, 0]);
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.class_scores(1).precision, 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    num_classes: usize,
    counts: Vec<u64>,
}

/// Precision, recall and their harmonic mean, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Of those predicted to be of the class, the share that is: `TP / (TP + FP)`.
    pub precision: f64,
    /// Of those that are of the class, the share found: `TP / (TP + FN)`.
    pub recall: f64,
    /// The harmonic mean of both: `2 TP / (2 TP + FP + FN)`.
    pub f1: f64,
}

/// How the scores of classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Every class that occurs counts the same, however rare.
    Macro,
    /// Counts are summed over classes first. With one label per sample, precision, recall and F1 all equal
    /// accuracy.
    Micro,
    /// Classes count by their number of targets.
    Weighted,
}

impl ConfusionMatrix {
    /// A matrix of zeros.
    pub fn new(num_classes: usize) -> Self {
        Self { num_classes, counts: vec![0; num_classes * num_classes] }
    }

    /// Counts pairs of predicted and true class.
    ///
    /// # Panics
    /// If the slices differ in length or a label is not below `num_classes`.
    #[track_caller]
    pub fn from_labels(num_classes: usize, predicted: &[usize], targets: &[usize]) -> Self {
        assert!(
            predicted.len() == targets.len(),
            "ConfusionMatrix: {} predictions and {} targets: there must be one prediction per target",
            predicted.len(),
            targets.len(),
        );
        let mut matrix = Self::new(num_classes);
        for (&predicted, &target) in predicted.iter().zip(targets) {
            matrix.add(target, predicted);
        }
        matrix
    }

    /// Counts one sample.
    ///
    /// # Panics
    /// If a label is not below the number of classes.
    #[track_caller]
    pub fn add(&mut self, target: usize, predicted: usize) {
        let place = self.place(target, predicted);
        self.counts[place] += 1;
    }

    /// Adds the counts of another matrix of the same classes.
    ///
    /// # Panics
    /// If the numbers of classes differ.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        assert!(
            self.num_classes == other.num_classes,
            "ConfusionMatrix::merge: {} and {} classes: they must be the same",
            self.num_classes,
            other.num_classes,
        );
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
    }

    /// The number of classes.
    pub fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// How many samples of class `target` were predicted to be `predicted`.
    ///
    /// # Panics
    /// If a label is not below the number of classes.
    #[track_caller]
    pub fn count(&self, target: usize, predicted: usize) -> u64 {
        self.counts[self.place(target, predicted)]
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of samples whose target is `class`.
    pub fn num_targets(&self, class: usize) -> u64 {
        (0..self.num_classes).map(|predicted| self.count(class, predicted)).sum()
    }

    /// The number of samples predicted to be of `class`.
    pub fn num_predicted(&self, class: usize) -> u64 {
        (0..self.num_classes).map(|target| self.count(target, class)).sum()
    }

    /// The share of samples on the diagonal; NaN of nothing.
    pub fn accuracy(&self) -> f64 {
        self.num_right() as f64 / self.total() as f64
    }

    /// Precision, recall and F1 of one class against the rest. A quotient with nothing to divide by is 0, as
    /// scikit-learn's `zero_division=0`.
    pub fn class_scores(&self, class: usize) -> Scores {
        scores(self.class_counts(class))
    }

    /// Precision, recall and F1 over all classes.
    ///
    /// # Source
    /// `sklearn.metrics.precision_recall_fscore_support`: averages are taken over classes that occur as a target
    /// or a prediction, F1 is the average of F1s, not the harmonic mean of averages.
    pub fn average_scores(&self, average: Average) -> Scores {
        // A class that occurs nowhere would score 0.
        let occurring = (0..self.num_classes).map(|class| self.class_counts(class));
        self::average(occurring.filter(|counts| counts.targets + counts.predicted > 0), average)
    }

    fn class_counts(&self, class: usize) -> ClassCounts {
        ClassCounts {
            right: self.count(class, class),
            predicted: self.num_predicted(class),
            targets: self.num_targets(class),
        }
    }

    fn num_right(&self) -> u64 {
        (0..self.num_classes).map(|class| self.count(class, class)).sum()
    }

    #[track_caller]
    fn place(&self, target: usize, predicted: usize) -> usize {
        assert!(
            target < self.num_classes && predicted < self.num_classes,
            "ConfusionMatrix: target {target}, predicted {predicted} with {} classes: labels must be in 0..{}",
            self.num_classes,
            self.num_classes,
        );
        target * self.num_classes + predicted
    }
}

/// How often a class was told rightly, told, and true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClassCounts {
    pub right: u64,
    pub predicted: u64,
    pub targets: u64,
}

/// Precision, recall and F1 of one class, 0 where there is nothing to divide by.
pub(crate) fn scores(ClassCounts { right, predicted, targets }: ClassCounts) -> Scores {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    Scores {
        precision: share(right, predicted),
        recall: share(right, targets),
        f1: share(2 * right, predicted + targets),
    }
}

/// Precision, recall and F1 of several classes as one.
pub(crate) fn average(classes: impl Iterator<Item = ClassCounts>, how: Average) -> Scores {
    let mut all = ClassCounts::default();
    let mut sum = Scores::default();
    let mut total = 0.0;
    for counts in classes {
        all.right += counts.right;
        all.predicted += counts.predicted;
        all.targets += counts.targets;
        let weight = if how == Average::Weighted { counts.targets as f64 } else { 1.0 };
        let own = scores(counts);
        sum.precision += weight * own.precision;
        sum.recall += weight * own.recall;
        sum.f1 += weight * own.f1;
        total += weight;
    }
    if how == Average::Micro {
        return scores(all);
    }
    if total == 0.0 {
        return Scores::default();
    }
    Scores { precision: sum.precision / total, recall: sum.recall / total, f1: sum.f1 / total }
}

/// A table for a terminal: a row per target, a column per prediction, the recall of each class at the end.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = |number: u64| number.to_string().len();
        let widest = self.counts.iter().copied().chain([self.num_classes as u64]).map(digits).max();
        let width = widest.unwrap_or(1) + 1;
        write!(f, "target \\ predicted")?;
        (0..self.num_classes).try_for_each(|class| write!(f, "{class:>width$}"))?;
        writeln!(f, "  recall")?;
        for target in 0..self.num_classes {
            write!(f, "{target:>18}")?;
            (0..self.num_classes).try_for_each(|class| write!(f, "{:>width$}", self.count(target, class)))?;
            writeln!(f, "  {:>5.1}%", 100.0 * self.class_scores(target).recall)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Average, ConfusionMatrix};

    #[test]
    fn prints_as_a_table() {
        let matrix = ConfusionMatrix::from_labels(2, &[0, 1, 1, 1], &[0, 1, 0, 1]);
        let lines =
            ["target \\ predicted 0 1  recall", "                 0 1 1   50.0%", "                 1 0 2  100.0%"];
        assert_eq!(matrix.to_string(), lines.join("\n") + "\n");
    }

    #[test]
    fn merging_adds_and_nothing_is_nan() {
        let mut matrix = ConfusionMatrix::new(2);
        assert!(matrix.accuracy().is_nan());
        assert_eq!(matrix.average_scores(Average::Weighted).f1, 0.0);
        matrix.merge(&ConfusionMatrix::from_labels(2, &[0, 1], &[0, 0]));
        matrix.merge(&ConfusionMatrix::from_labels(2, &[1], &[1]));
        assert_eq!((matrix.total(), matrix.count(0, 1)), (3, 1));
    }

    #[test]
    #[should_panic(expected = "predicted 2 with 2 classes")]
    fn labels_are_checked() {
        ConfusionMatrix::from_labels(2, &[2], &[0]);
    }
}
