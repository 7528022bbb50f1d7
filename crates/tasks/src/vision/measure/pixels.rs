//! A class for each pixel.

use gyrus_data::target::IGNORED;
use gyrus_data::{DataError, TargetKind};
use gyrus_metrics::{ConfusionMatrix, SegmentationScores};
use gyrus_train::record::{Content, Panel};

use super::{Tally, Truth};
use crate::Scores;
use crate::vision::Answer;

/// How well the classes of pixels are told, over the pixels of all images together. Pixels of ignored classes, and images
/// without a mask, do not count.
#[derive(Debug)]
pub struct PixelTally {
    classes: Vec<String>,
    matrix: ConfusionMatrix,
    is_ignored: Vec<bool>,
}

impl PixelTally {
    /// Of nothing yet; `is_ignored` says of each class whether its pixels do not count.
    pub fn new(classes: Vec<String>, is_ignored: Vec<bool>) -> Self {
        PixelTally { matrix: ConfusionMatrix::new(classes.len()), classes, is_ignored }
    }

    /// Mean intersection over union, Dice and the like, with the scores of each class; their signature names what is
    /// ignored.
    pub fn segmentation_scores(&self) -> SegmentationScores {
        SegmentationScores::new(&self.matrix, Some(IGNORED.into()))
    }

    /// The classes that count, with their numbers.
    fn counted(&self) -> impl Iterator<Item = (usize, &String)> {
        self.classes.iter().enumerate().filter(|(class, _)| !self.is_ignored[*class])
    }

    /// The scores of each class, and of all.
    fn table(&self) -> Content {
        let scores = self.segmentation_scores();
        let header = ["class", "IoU", "Dice", "accuracy", "share of the pixels"].map(String::from).to_vec();
        let total = self.matrix.total() as f64;
        let row = |name: &str, numbers: [f64; 4]| {
            let number = |number: f64| if number.is_nan() { "–".into() } else { format!("{number:.3}") };
            [name.to_owned()].into_iter().chain(numbers.map(number)).collect()
        };
        let mut rows: Vec<Vec<String>> = self
            .counted()
            .map(|(class, name)| {
                let own = &scores.classes[class];
                let share = own.num_pixels as f64 / total;
                row(name, [own.intersection_over_union, own.dice, own.accuracy, share])
            })
            .collect();
        let SegmentationScores { mean_intersection_over_union, mean_dice, mean_class_accuracy, .. } = scores;
        rows.push(row("mean", [mean_intersection_over_union, mean_dice, mean_class_accuracy, 1.0]));
        Content::Table { header, rows }
    }

    /// Of the pixels of each class the percentages that were taken for each class.
    fn confusion(&self) -> Content {
        let header = ["true class"].into_iter().map(String::from).chain(self.counted().map(|(_, name)| name.clone()));
        let row = |(class, name): (usize, &String)| {
            let whole = self.matrix.num_targets(class) as f64;
            let percentage = |(predicted, _): (usize, &String)| match self.matrix.count(class, predicted) {
                0 => "–".into(),
                count => format!("{:.1}", 100.0 * count as f64 / whole),
            };
            [name.clone()].into_iter().chain(self.counted().map(percentage)).collect()
        };
        Content::Table { header: header.collect(), rows: self.counted().map(row).collect() }
    }
}

impl Tally for PixelTally {
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError> {
        let Answer::Pixels(found) = answer else { return Ok(()) };
        if truth.dataset.target(truth.index).kind() != Some(TargetKind::PixelClasses) {
            return Ok(());
        }
        let mut known = truth.dataset.pixel_labels(truth.index)?;
        let (size, expected) = ([known.height, known.width], [found.height, found.width]);
        if size != expected {
            let path = truth.dataset.origin(truth.index).path;
            return Err(DataError::MaskSize { path, found: size, expected });
        }
        for label in &mut known.labels {
            if self.is_ignored.get(*label as usize) == Some(&true) {
                *label = IGNORED;
            }
        }
        self.matrix.add_pixels(&found.labels, &known.labels, Some(IGNORED.into()));
        Ok(())
    }

    fn scores(&self) -> Scores {
        if self.matrix.total() == 0 {
            return vec![];
        }
        let scores = self.segmentation_scores();
        vec![
            ("miou".into(), scores.mean_intersection_over_union),
            ("dice".into(), scores.mean_dice),
            ("pixel_accuracy".into(), scores.pixel_accuracy),
            ("class_accuracy".into(), scores.mean_class_accuracy),
        ]
    }

    fn panels(&self) -> Vec<Panel> {
        if self.matrix.total() == 0 {
            return vec![];
        }
        let signature = self.segmentation_scores().signature;
        vec![
            Panel {
                id: "pixels".into(),
                title: "Classes of pixels".into(),
                about: format!(
                    "Over the pixels of all images together. IoU is the intersection over the union of what is of a class \
                     and what was taken for it; accuracy is the share of a class's pixels that was found. Computed as {signature}."
                ),
                content: vec![self.table()],
            },
            Panel {
                id: "confusion-of-pixels".into(),
                title: "What pixels were taken for".into(),
                about: "Of the pixels of each class, a row, the percentages that were taken for each class.".into(),
                content: vec![self.confusion()],
            },
        ]
    }
}
