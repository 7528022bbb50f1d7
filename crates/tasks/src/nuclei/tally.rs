//! Objects as they are measured, and counted.

use gyrus_data::{DataError, TargetKind};
use gyrus_train::record::Panel;

use crate::Scores;
use crate::vision::Answer;
use crate::vision::measure::{ObjectTally, Tally, Truth};

/// The most objects of an image that are measured.
const MOST: usize = 10_000;

/// The scores of objects, and how many there are and were found in all images together: `objects`, `found`, and
/// `count_error = |found - objects| / objects`.
pub struct CountTally {
    objects: ObjectTally,
    num_true: usize,
    num_found: usize,
}

impl CountTally {
    /// Of nothing yet.
    pub fn new(classes: Vec<String>) -> Self {
        CountTally { objects: ObjectTally::new(classes, MOST, true), num_true: 0, num_found: 0 }
    }
}

impl Tally for CountTally {
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError> {
        if let (Answer::Objects(found), Some(TargetKind::Objects)) = (answer, truth.dataset.target(truth.index).kind())
        {
            self.num_found += found.len();
            self.num_true += truth.dataset.objects(truth.index)?.iter().filter(|object| !object.is_crowd).count();
        }
        self.objects.count(truth, answer)
    }

    fn scores(&self) -> Scores {
        let mut scores = self.objects.scores();
        if !scores.is_empty() {
            let difference = self.num_found.abs_diff(self.num_true) as f64;
            scores.push(("objects".into(), self.num_true as f64));
            scores.push(("found".into(), self.num_found as f64));
            scores.push(("count_error".into(), difference / self.num_true.max(1) as f64));
        }
        scores
    }

    fn panels(&self) -> Vec<Panel> {
        self.objects.panels()
    }
}
