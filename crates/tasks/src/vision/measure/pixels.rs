//! A class for each pixel.

use gyrus_data::target::IGNORED;
use gyrus_data::{DataError, TargetKind};
use gyrus_metrics::{ConfusionMatrix, SegmentationScores};

use super::{Tally, Truth};
use crate::Scores;
use crate::vision::Answer;

/// How well the classes of pixels are told, over the pixels of all images together. Pixels of ignored classes, and images
/// without a mask, do not count.
#[derive(Debug)]
pub struct PixelTally {
    matrix: ConfusionMatrix,
    is_ignored: Vec<bool>,
}

impl PixelTally {
    /// Of nothing yet; `is_ignored` says of each class whether its pixels do not count.
    pub fn new(is_ignored: Vec<bool>) -> Self {
        PixelTally { matrix: ConfusionMatrix::new(is_ignored.len()), is_ignored }
    }

    /// Mean intersection over union, Dice and the like, with the scores of each class; their signature names what is
    /// ignored.
    pub fn segmentation_scores(&self) -> SegmentationScores {
        SegmentationScores::new(&self.matrix, Some(IGNORED.into()))
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
}
