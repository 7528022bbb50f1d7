//! One object an image.

use gyrus_data::DataError;
use gyrus_geometry::{Region, Xyxy};
use gyrus_metrics::{accuracy, localization_accuracy};

use crate::Scores;
use crate::vision::Answer;
use crate::vision::measure::{Tally, Truth};

/// How often class and place of the one object are right. Images without an object do not count; of several the largest
/// is meant.
#[derive(Debug, Default)]
pub struct LocalizationTally {
    found: Vec<(usize, Xyxy)>,
    targets: Vec<(usize, Xyxy)>,
}

impl Tally for LocalizationTally {
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError> {
        let objects = truth.dataset.objects(truth.index)?;
        let object = objects.iter().max_by(|a, b| a.bounds.area().total_cmp(&b.bounds.area()));
        if let (Some(object), Answer::Objects(found)) = (object, answer)
            && let Some(found) = found.first()
        {
            self.found.push((found.class, found.bounds));
            self.targets.push((object.class, object.bounds));
        }
        Ok(())
    }

    fn scores(&self) -> Scores {
        if self.targets.is_empty() {
            return vec![];
        }
        let classes = |pairs: &[(usize, Xyxy)]| pairs.iter().map(|(class, _)| *class).collect::<Vec<_>>();
        let overlaps = self.found.iter().zip(&self.targets).map(|((_, a), (_, b))| a.intersection_over_union(b));
        vec![
            ("localization_accuracy".into(), localization_accuracy(&self.found, &self.targets, 0.5)),
            ("class_accuracy".into(), accuracy(&classes(&self.found), &classes(&self.targets))),
            ("mean_iou".into(), overlaps.sum::<f64>() / self.targets.len() as f64),
        ]
    }
}
