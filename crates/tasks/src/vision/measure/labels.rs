//! Any number of classes an image.

use gyrus_data::{DataError, Target};
use gyrus_metrics::{Average, MultiLabelCounts, mean_average_precision};

use super::{Tally, Truth};
use crate::Scores;
use crate::vision::Answer;
use crate::vision::answer::LIKELY;

/// How well classes are told of which an image may have any number. Images of which nothing is known do not count.
#[derive(Debug)]
pub struct LabelsTally {
    num_classes: usize,
    counts: MultiLabelCounts,
    /// `[N, num_classes]`.
    probabilities: Vec<f32>,
    /// `[N, num_classes]`.
    targets: Vec<bool>,
}

impl LabelsTally {
    /// Of nothing yet.
    pub fn new(num_classes: usize) -> Self {
        let counts = MultiLabelCounts::new(num_classes);
        LabelsTally { num_classes, counts, probabilities: vec![], targets: vec![] }
    }
}

impl Tally for LabelsTally {
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError> {
        let (Target::Classes(classes), Answer::Classes(probabilities)) = (truth.dataset.target(truth.index), answer)
        else {
            return Ok(());
        };
        let predicted: Vec<bool> = probabilities.iter().map(|&probability| probability >= LIKELY).collect();
        let targets: Vec<bool> = (0..self.num_classes).map(|class| classes.contains(&class)).collect();
        self.counts.add(&predicted, &targets);
        self.probabilities.extend_from_slice(probabilities);
        self.targets.extend(targets);
        Ok(())
    }

    fn scores(&self) -> Scores {
        if self.targets.is_empty() {
            return vec![];
        }
        vec![
            ("map".into(), mean_average_precision(&self.probabilities, self.num_classes, &self.targets)),
            ("macro_f1".into(), self.counts.average_scores(Average::Macro).f1),
            ("micro_f1".into(), self.counts.average_scores(Average::Micro).f1),
            ("subset_accuracy".into(), self.counts.subset_accuracy()),
        ]
    }
}
