use std::marker::PhantomData;

use gyrus_geometry::Region;

use super::{Detection, Truth, by_class};
use crate::mean;

/// Counts instances found, and how well: panoptic quality, precision and recall of masks that do not overlap. Takes
/// pictures one after another; the scores of detections do not matter.
///
/// A truth and a detection of one class are a pair if their intersection over union is above 0.5, which of masks that
/// do not overlap can hold of one pair only (else the pair of highest overlap comes first). A detection without a pair
/// of which more than half lies in ignored truths of its class is not counted.
///
/// # Source
/// Kirillov et al. 2019, "Panoptic Segmentation", section 4.1 and 4.2. Ignored truths stay part of no union.
///
/// ```
/// use gyrus_geometry::RunLengthMask;
/// use gyrus_metrics::{Detection, PanopticEvaluator, Truth};
/// let truths = RunLengthMask::of_labels(5, 1, &[1, 1, 1, 2, 2])?;
/// let found = RunLengthMask::of_labels(5, 1, &[1, 1, 0, 0, 2])?;
/// let mut evaluator = PanopticEvaluator::new(1);
/// let truths: Vec<_> = truths.into_values().map(|mask| Truth::new(mask, 0)).collect();
/// let found: Vec<_> = found.into_values().map(|mask| Detection::new(mask, 0, 1.0)).collect();
/// evaluator.add(&truths, &found);
/// let scores = evaluator.class_scores(0);
/// assert_eq!((scores.segmentation_quality, scores.recognition_quality), (2.0 / 3.0, 0.5));
/// assert_eq!((scores.num_truths, scores.num_detections), (2, 2));
/// # Ok::<(), gyrus_geometry::GeometryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PanopticEvaluator<R> {
    classes: Vec<ClassRecord>,
    regions: PhantomData<fn(R)>,
}

/// What was seen of a class.
#[derive(Clone, Copy, Debug, Default)]
struct ClassRecord {
    sum_overlap: f64,
    num_pairs: usize,
    num_truths: usize,
    num_detections: usize,
}

/// The scores of one class, each from 0 to 1, NaN where there is nothing to divide by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanopticScores {
    /// The product of the next two: `sum of IoU over pairs / (TP + FP / 2 + FN / 2)`.
    pub panoptic_quality: f64,
    /// The mean intersection over union of pairs.
    pub segmentation_quality: f64,
    /// The F1 of instances: `TP / (TP + FP / 2 + FN / 2)`.
    pub recognition_quality: f64,
    /// The share of detections that have a pair.
    pub precision: f64,
    /// The share of truths that have a pair.
    pub recall: f64,
    /// The truths that count.
    pub num_truths: usize,
    /// The detections that count.
    pub num_detections: usize,
}

impl<R: Region> PanopticEvaluator<R> {
    /// An evaluator that has seen nothing.
    pub fn new(num_classes: usize) -> Self {
        Self { classes: vec![ClassRecord::default(); num_classes], regions: PhantomData }
    }

    /// Takes in one picture.
    ///
    /// # Panics
    /// If a class is not below the number of classes or a score is NaN.
    #[track_caller]
    pub fn add(&mut self, truths: &[Truth<R>], detections: &[Detection<R>]) {
        for (class, (truths, detections)) in by_class("PanopticEvaluator", self.classes.len(), truths, detections) {
            let (ignored, truths): (Vec<_>, Vec<_>) = truths.into_iter().partition(|truth| truth.is_ignored);
            let mut pairs: Vec<(f64, usize, usize)> = vec![];
            for (detection, found) in detections.iter().enumerate() {
                let overlaps = truths.iter().map(|truth| found.region.intersection_over_union(&truth.region));
                let near = overlaps.enumerate().filter(|near| near.1 > 0.5);
                pairs.extend(near.map(|(truth, overlap)| (overlap, truth, detection)));
            }
            pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
            let (mut is_found, mut is_paired) = (vec![false; truths.len()], vec![false; detections.len()]);
            let record = &mut self.classes[class];
            for (overlap, truth, detection) in pairs {
                if !is_found[truth] && !is_paired[detection] {
                    (is_found[truth], is_paired[detection]) = (true, true);
                    record.sum_overlap += overlap;
                    record.num_pairs += 1;
                }
            }
            let is_counted = |&detection: &usize| {
                let region = &detections[detection].region;
                let inside = ignored.iter().map(|truth| region.intersection_over_area(&truth.region));
                is_paired[detection] || inside.sum::<f64>() <= 0.5
            };
            record.num_truths += truths.len();
            record.num_detections += (0..detections.len()).filter(is_counted).count();
        }
    }

    /// The scores of a class.
    ///
    /// # Panics
    /// If the class is not below the number of classes.
    #[track_caller]
    pub fn class_scores(&self, class: usize) -> PanopticScores {
        let ClassRecord { sum_overlap, num_pairs, num_truths, num_detections } = self.classes[class];
        let num_pairs = num_pairs as f64;
        let half = (num_truths + num_detections) as f64 / 2.0;
        PanopticScores {
            panoptic_quality: sum_overlap / half,
            segmentation_quality: sum_overlap / num_pairs,
            recognition_quality: num_pairs / half,
            precision: num_pairs / num_detections as f64,
            recall: num_pairs / num_truths as f64,
            num_truths,
            num_detections,
        }
    }

    /// The mean panoptic quality of the classes that occur, as truth or detection; NaN of none.
    pub fn mean_panoptic_quality(&self) -> f64 {
        mean((0..self.classes.len()).map(|class| self.class_scores(class).panoptic_quality))
    }

    /// How the scores are computed: `panoptic-mask-quality|iou=>0.50|classes=present`.
    pub fn signature(&self) -> String {
        format!("panoptic-{}-quality|iou=>0.50|classes=present", R::KIND)
    }
}
