//! One class an image.

use gyrus_data::{DataError, Target};
use gyrus_metrics::{
    Average, ConfusionMatrix, accuracy, auroc_one_vs_rest, cross_entropy, expected_calibration_error, top_k_accuracy,
};
use gyrus_train::record::Evaluation;

use super::{Tally, Truth};
use crate::Scores;
use crate::vision::Answer;
use crate::vision::answer::best;

/// Of the calibration error, as in Guo et al. (2017).
const NUM_BINS: usize = 15;

/// Accuracy, loss and their like of answers that are one of the classes. Images whose class is not known do not count.
#[derive(Debug, Default)]
pub struct ClassTally {
    num_classes: usize,
    /// `[N, num_classes]`.
    probabilities: Vec<f32>,
    targets: Vec<usize>,
    /// The numbers of the samples in their dataset.
    indices: Vec<usize>,
}

impl ClassTally {
    /// Of nothing yet.
    pub fn new(num_classes: usize) -> Self {
        ClassTally { num_classes, ..ClassTally::default() }
    }
}

impl Tally for ClassTally {
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError> {
        if let (Target::Class(class), Answer::Class(probabilities)) = (truth.dataset.target(truth.index), answer) {
            self.probabilities.extend_from_slice(probabilities);
            self.targets.push(*class);
            self.indices.push(truth.index);
        }
        Ok(())
    }

    fn scores(&self) -> Scores {
        if self.targets.is_empty() {
            return vec![];
        }
        let Self { num_classes, probabilities, targets, .. } = self;
        let predicted: Vec<usize> = probabilities.chunks_exact(*num_classes).map(best).collect();
        let confusion = ConfusionMatrix::from_labels(*num_classes, &predicted, targets);
        let mut scores = vec![
            ("accuracy".into(), accuracy(&predicted, targets)),
            ("loss".into(), cross_entropy(probabilities, *num_classes, targets)),
            ("macro_f1".into(), confusion.average_scores(Average::Macro).f1),
            ("auroc".into(), auroc_one_vs_rest(probabilities, *num_classes, targets)),
            ("ece".into(), expected_calibration_error(probabilities, *num_classes, targets, NUM_BINS)),
        ];
        if *num_classes > 5 {
            scores.push(("top_5_accuracy".into(), top_k_accuracy(probabilities, *num_classes, targets, 5)));
        }
        scores
    }

    fn evaluation(&self, split: &str) -> Option<Evaluation> {
        if self.targets.is_empty() {
            return None;
        }
        let mut evaluation = Evaluation::new(split, &self.probabilities, self.num_classes, &self.targets);
        for mistake in &mut evaluation.mistakes {
            mistake.sample = self.indices[mistake.sample];
        }
        Some(evaluation)
    }
}
