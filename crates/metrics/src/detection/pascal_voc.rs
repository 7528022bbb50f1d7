use std::marker::PhantomData;

use gyrus_geometry::Region;

use super::{Detection, Truth, by_class};
use crate::mean;
use crate::precision_recall_curve::falling;

/// How average precision is taken from precision and recall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PascalVocInterpolation {
    /// Up to 2009: the mean, over the recalls 0, 0.1, ..., 1, of the highest precision at that recall or a higher one.
    ElevenPoints,
    /// From 2010: the area under that highest precision, at all recalls.
    AllPoints,
}

/// Pascal VOC's evaluation of object detection: takes pictures one after another, then gives average precisions.
///
/// Each detection, by falling score, is compared to the truth of its picture and class that it overlaps most. It is
/// right if their intersection over union is at least the threshold and no earlier detection found that truth, else
/// wrong; where that truth is ignored (`difficult`), it is neither. Coordinates in VOC's files are those of the first
/// and last pixel, from 1: as [`Xyxy`](gyrus_geometry::Xyxy) the first is one less and the last as it is.
///
/// # Source
/// Everingham et al. 2010, "The Pascal Visual Object Classes (VOC) Challenge", section 4.2, and the development kits
/// of 2007 and 2012.
///
/// ```
/// use gyrus_geometry::Xyxy;
/// use gyrus_metrics::{Detection, PascalVocEvaluator, PascalVocInterpolation, Truth};
/// let mut evaluator = PascalVocEvaluator::new(1, 0.5);
/// let place = |left: f64| Xyxy::new(left, 0.0, left + 10.0, 10.0);
/// let found = [Detection::new(place(1.0), 0, 0.9), Detection::new(place(2.0), 0, 0.8)];
/// evaluator.add(&[Truth::new(place(0.0), 0), Truth::new(place(50.0), 0)], &found);
/// assert_eq!(evaluator.average_precision(0, PascalVocInterpolation::AllPoints), 0.5);
/// assert_eq!(evaluator.average_precision(0, PascalVocInterpolation::ElevenPoints), 6.0 / 11.0);
/// ```
#[derive(Clone, Debug)]
pub struct PascalVocEvaluator<R> {
    threshold: f64,
    classes: Vec<ClassRecord>,
    regions: PhantomData<fn(R)>,
}

/// What was seen of a class.
#[derive(Clone, Debug, Default)]
struct ClassRecord {
    /// Score and whether it was right, of each detection that counts.
    detections: Vec<(f64, bool)>,
    num_truths: usize,
}

impl<R: Region> PascalVocEvaluator<R> {
    /// An evaluator that has seen nothing, with a threshold of intersection over union, customarily 0.5.
    pub fn new(num_classes: usize, threshold: f64) -> Self {
        Self { threshold, classes: vec![ClassRecord::default(); num_classes], regions: PhantomData }
    }

    /// Takes in one picture.
    ///
    /// # Panics
    /// If a class is not below the number of classes or a score is NaN.
    #[track_caller]
    pub fn add(&mut self, truths: &[Truth<R>], detections: &[Detection<R>]) {
        for (class, (truths, detections)) in by_class("PascalVocEvaluator", self.classes.len(), truths, detections) {
            let record = &mut self.classes[class];
            record.num_truths += truths.iter().filter(|truth| !truth.is_ignored).count();
            let mut is_found = vec![false; truths.len()];
            for detection in detections {
                let overlaps = truths.iter().map(|truth| detection.region.intersection_over_union(&truth.region));
                let first_highest = |best: (usize, f64), own: (usize, f64)| if own.1 > best.1 { own } else { best };
                let nearest = overlaps.enumerate().reduce(first_highest).filter(|best| best.1 >= self.threshold);
                let is_right = match nearest {
                    Some((truth, _)) if truths[truth].is_ignored => continue,
                    Some((truth, _)) => !std::mem::replace(&mut is_found[truth], true),
                    None => false,
                };
                record.detections.push((detection.score, is_right));
            }
        }
    }

    /// The average precision of a class, from 0 to 1; NaN where it has no truth that counts.
    ///
    /// # Panics
    /// If the class is not below the number of classes.
    #[track_caller]
    pub fn average_precision(&self, class: usize, interpolation: PascalVocInterpolation) -> f64 {
        let record = &self.classes[class];
        if record.num_truths == 0 {
            return f64::NAN;
        }
        let mut sorted = record.detections.clone();
        sorted.sort_by(|a, b| falling(a.0, b.0));
        let mut num_right = 0;
        let point = |(place, &(_, is_right)): (usize, &(f64, bool))| {
            num_right += usize::from(is_right);
            (num_right as f64 / record.num_truths as f64, num_right as f64 / (place + 1) as f64)
        };
        let points: Vec<(f64, f64)> = sorted.iter().enumerate().map(point).collect();
        match interpolation {
            PascalVocInterpolation::ElevenPoints => {
                let highest = |recall: f64| {
                    let later = points.iter().filter(|point| point.0 >= recall);
                    later.map(|point| point.1).fold(0.0, f64::max)
                };
                (0..=10).map(|tenth| highest(f64::from(tenth) * 0.1)).sum::<f64>() / 11.0
            }
            PascalVocInterpolation::AllPoints => {
                let (mut area, mut highest) = (0.0, 0.0f64);
                for (place, &(recall, precision)) in points.iter().enumerate().rev() {
                    highest = highest.max(precision);
                    let previous = if place == 0 { 0.0 } else { points[place - 1].0 };
                    area += (recall - previous) * highest;
                }
                area
            }
        }
    }

    /// The mean of the average precisions of classes that have truths; NaN of none.
    pub fn mean_average_precision(&self, interpolation: PascalVocInterpolation) -> f64 {
        mean((0..self.classes.len()).map(|class| self.average_precision(class, interpolation)))
    }

    /// How the scores are computed: `voc-box-ap|iou=0.50|recall=11`, or `recall=all`.
    pub fn signature(&self, interpolation: PascalVocInterpolation) -> String {
        let recalls = match interpolation {
            PascalVocInterpolation::ElevenPoints => "11",
            PascalVocInterpolation::AllPoints => "all",
        };
        format!("voc-{}-ap|iou={:.2}|recall={recalls}", R::KIND, self.threshold)
    }
}
