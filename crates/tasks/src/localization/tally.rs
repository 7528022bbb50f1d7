//! One object an image.

use gyrus_data::DataError;
use gyrus_geometry::{Region, Xyxy};
use gyrus_metrics::{accuracy, localization_accuracy, signature};
use gyrus_train::record::{Content, Panel};

use crate::Scores;
use crate::vision::Answer;
use crate::vision::measure::{Tally, Truth};

/// From this intersection over union on a box is right.
const OVERLAP: f64 = 0.5;

/// An object: its class and its box.
type Object = (usize, Xyxy);

/// How often class and place of the one object are right. Images without an object do not count; of several the largest
/// is meant.
pub struct LocalizationTally {
    classes: Vec<String>,
    found: Vec<Object>,
    targets: Vec<Object>,
}

impl LocalizationTally {
    /// Of nothing yet.
    pub fn new(classes: Vec<String>) -> Self {
        LocalizationTally { classes, found: vec![], targets: vec![] }
    }

    /// The scores of a class, and its name with the number of its images; nothing where there is none.
    fn row(&self, class: usize) -> Option<Vec<String>> {
        let own = self.found.iter().zip(&self.targets).filter(|(_, target)| target.0 == class);
        let (found, targets): (Vec<Object>, Vec<Object>) = own.unzip();
        if targets.is_empty() {
            return None;
        }
        let cells = [self.classes[class].clone(), targets.len().to_string()].into_iter();
        Some(cells.chain(measured(&found, &targets).map(|(_, value)| format!("{value:.3}"))).collect())
    }
}

/// What is measured, by name; there is something to measure.
fn measured(found: &[Object], targets: &[Object]) -> [(&'static str, f64); 3] {
    let classes = |objects: &[Object]| objects.iter().map(|(class, _)| *class).collect::<Vec<_>>();
    let overlaps = found.iter().zip(targets).map(|((_, a), (_, b))| a.intersection_over_union(b));
    [
        ("localization_accuracy", localization_accuracy(found, targets, OVERLAP)),
        ("class_accuracy", accuracy(&classes(found), &classes(targets))),
        ("mean_iou", overlaps.sum::<f64>() / targets.len() as f64),
    ]
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
        measured(&self.found, &self.targets).map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn panels(&self) -> Vec<Panel> {
        if self.targets.is_empty() {
            return vec![];
        }
        let header = ["class", "images", "localization accuracy", "class accuracy", "mean IoU"].map(String::from);
        let rows = (0..self.classes.len()).filter_map(|class| self.row(class)).collect();
        vec![Panel {
            id: "objects".into(),
            title: "Classes and places".into(),
            about: format!(
                "An image counts as right if the class is right and the intersection of the boxes is at least {OVERLAP} of \
                 their union. Computed as {}.",
                signature::localization_accuracy(OVERLAP)
            ),
            content: vec![Content::Table { header: header.into(), rows }],
        }]
    }
}
