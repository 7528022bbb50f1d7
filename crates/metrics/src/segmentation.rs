use std::fmt;

use crate::{ConfusionMatrix, mean};

impl ConfusionMatrix {
    /// Counts the pixels of a segmentation. Those whose target is `ignore` (customarily 255) are left out, whatever was
    /// predicted there.
    ///
    /// # Panics
    /// If the slices differ in length, or another label is not below the number of classes.
    #[track_caller]
    pub fn add_pixels<L: Copy + Into<usize>>(&mut self, predicted: &[L], targets: &[L], ignore: Option<usize>) {
        assert!(
            predicted.len() == targets.len(),
            "ConfusionMatrix::add_pixels: {} predictions and {} targets: there must be one prediction per pixel",
            predicted.len(),
            targets.len(),
        );
        for (&predicted, &target) in predicted.iter().zip(targets) {
            let target = target.into();
            if Some(target) != ignore {
                self.add(target, predicted.into());
            }
        }
    }
}

/// Scores of a semantic segmentation over the pixels of all pictures together, each from 0 to 1, NaN where there is
/// nothing to divide by.
///
/// # Source
/// Everingham et al. 2010 (the VOC challenge), section 4.3, for intersection over union; Long et al. 2015, "Fully
/// Convolutional Networks", section 5, for the accuracies; means are taken over classes that occur.
///
/// ```
/// use gyrus_metrics::{ConfusionMatrix, SegmentationScores};
/// let mut matrix = ConfusionMatrix::new(3);
/// matrix.add_pixels::<u8>(&[0, 0, 1, 1], &[0, 1, 1, 255], Some(255));
/// let scores = SegmentationScores::new(&matrix, Some(255));
/// assert_eq!((scores.mean_intersection_over_union, scores.pixel_accuracy), (0.5, 2.0 / 3.0));
/// assert_eq!(scores.signature, "miou|classes=present|ignore=255");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentationScores {
    /// The mean intersection over union of the classes that occur, as target or prediction.
    pub mean_intersection_over_union: f64,
    /// The mean Dice coefficient of the classes that occur, as target or prediction.
    pub mean_dice: f64,
    /// The share of pixels that is right.
    pub pixel_accuracy: f64,
    /// The mean over classes that have targets of the share of their pixels that is right.
    pub mean_class_accuracy: f64,
    /// The scores of each class.
    pub classes: Vec<SegmentationClassScores>,
    /// How they were computed.
    pub signature: String,
}

/// The scores of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentationClassScores {
    /// `TP / (TP + FP + FN)`, the Jaccard index; NaN where the class occurs nowhere.
    pub intersection_over_union: f64,
    /// `2 TP / (2 TP + FP + FN)`, equal to F1; NaN where the class occurs nowhere.
    pub dice: f64,
    /// The share of the class's pixels that is right, `TP / (TP + FN)`; NaN where it has none.
    pub accuracy: f64,
    /// The pixels of the class.
    pub num_pixels: u64,
}

impl SegmentationScores {
    /// The scores of the counted pixels; `ignore` is what [`ConfusionMatrix::add_pixels`] was told, for the signature.
    pub fn new(matrix: &ConfusionMatrix, ignore: Option<usize>) -> Self {
        let class_scores = |class: usize| {
            let right = matrix.count(class, class) as f64;
            let (targets, predicted) = (matrix.num_targets(class), matrix.num_predicted(class));
            SegmentationClassScores {
                intersection_over_union: right / ((targets + predicted) as f64 - right),
                dice: 2.0 * right / (targets + predicted) as f64,
                accuracy: right / targets as f64,
                num_pixels: targets,
            }
        };
        let classes: Vec<SegmentationClassScores> = (0..matrix.num_classes()).map(class_scores).collect();
        let ignored = ignore.map_or_else(|| "none".to_owned(), |label| label.to_string());
        Self {
            mean_intersection_over_union: mean(classes.iter().map(|class| class.intersection_over_union)),
            mean_dice: mean(classes.iter().map(|class| class.dice)),
            pixel_accuracy: matrix.accuracy(),
            mean_class_accuracy: matrix.balanced_accuracy(),
            classes,
            signature: format!("miou|classes=present|ignore={ignored}"),
        }
    }
}

/// A line for each figure below the signature.
impl fmt::Display for SegmentationScores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.signature)?;
        writeln!(f, "mean intersection over union {:.4}", self.mean_intersection_over_union)?;
        writeln!(f, "mean Dice                    {:.4}", self.mean_dice)?;
        writeln!(f, "pixel accuracy               {:.4}", self.pixel_accuracy)?;
        writeln!(f, "mean class accuracy          {:.4}", self.mean_class_accuracy)
    }
}
