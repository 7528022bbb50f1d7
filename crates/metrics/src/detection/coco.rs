use std::marker::PhantomData;

use gyrus_geometry::Region;

use super::coco_matching::{AREAS, NUM_THRESHOLDS, Outcome, match_detections};
use super::coco_scores::{CocoClassScores, CocoScores};
use super::{Detection, Truth, by_class};
use crate::precision_recall_curve::falling;
use crate::{PrecisionRecallCurve, mean};

/// The recalls at which precision is read: 0, 0.01, ..., 1.
const NUM_RECALLS: usize = 101;

/// COCO's evaluation of object detection: takes pictures one after another, then gives average precision and recall.
///
/// Within a picture and class the detections of highest score are matched to truths, at ten thresholds of
/// intersection over union (0.50, 0.55, ..., 0.95) and for four ranges of area (all, small: up to `32^2` square
/// pixels, medium: up to `96^2`, large). Over all pictures, by falling score, they give precision and recall. Average
/// precision is the mean, over 101 recalls from 0 to 1, of the highest precision at that recall or a higher one;
/// means are taken over thresholds and over classes that have truths. Of boxes ([`Xywh`] follows the reference to
/// the bit) or masks ([`RunLengthMask`]).
///
/// # Source
/// Lin et al. 2014, "Microsoft COCO", and its tool `pycocotools.cocoeval`, whose ties are kept: of equal scores the
/// earlier picture's and, within it, the earlier detection comes first.
///
/// [`Xywh`]: gyrus_geometry::Xywh
/// [`RunLengthMask`]: gyrus_geometry::RunLengthMask
///
/// ```
/// use gyrus_geometry::Xywh;
/// use gyrus_metrics::{CocoEvaluator, Detection, Truth};
/// let mut evaluator = CocoEvaluator::new(1);
/// let truths = [Truth::new(Xywh::new(0.0, 0.0, 10.0, 10.0), 0)];
/// evaluator.add(&truths, &[Detection::new(Xywh::new(0.0, 0.0, 10.0, 8.0), 0, 0.9)]);
/// let scores = evaluator.scores();
/// assert!((scores.average_precision_50 - 1.0).abs() < 1e-12);
/// assert!((scores.average_precision - 0.7).abs() < 1e-12);
/// ```
#[derive(Clone, Debug)]
pub struct CocoEvaluator<R> {
    max_detections: [usize; 3],
    classes: Vec<ClassRecord>,
    regions: PhantomData<fn(R)>,
}

/// What was seen of a class.
#[derive(Clone, Debug, Default)]
struct ClassRecord {
    detections: Vec<Record>,
    /// How many truths count in each range of area.
    num_truths: [usize; AREAS.len()],
}

/// A detection once it is matched.
#[derive(Clone, Copy, Debug)]
struct Record {
    score: f64,
    /// Its place among those of its picture and class, by falling score.
    rank: usize,
    outcome: Outcome,
}

/// Average precision and recall of a class at each threshold; NaN where it has no truth that counts.
type ByThreshold = [(f64, f64); NUM_THRESHOLDS];

impl<R: Region> CocoEvaluator<R> {
    /// An evaluator that has seen nothing, of 1, 10 and 100 detections for each picture and class, as COCO's.
    pub fn new(num_classes: usize) -> Self {
        Self::with_max_detections(num_classes, [1, 10, 100])
    }

    /// An evaluator of up to so many detections for each picture and class, for pictures of more objects than
    /// COCO's: the last number for all scores but the average recalls of the first and second.
    ///
    /// # Panics
    /// If the numbers fall.
    #[track_caller]
    pub fn with_max_detections(num_classes: usize, max_detections: [usize; 3]) -> Self {
        assert!(
            max_detections.is_sorted(),
            "CocoEvaluator: at most {max_detections:?} detections: the numbers must not fall"
        );
        Self { max_detections, classes: vec![ClassRecord::default(); num_classes], regions: PhantomData }
    }

    /// Takes in one picture.
    ///
    /// # Panics
    /// If a class is not below the number of classes or a score is NaN.
    #[track_caller]
    pub fn add(&mut self, truths: &[Truth<R>], detections: &[Detection<R>]) {
        for (class, (truths, mut detections)) in by_class("CocoEvaluator", self.classes.len(), truths, detections) {
            detections.truncate(self.max_detections[2]);
            let (outcomes, counts) = match_detections(&truths, &detections);
            let record = &mut self.classes[class];
            record.num_truths.iter_mut().zip(counts).for_each(|(count, more)| *count += more);
            let matched = detections.iter().zip(outcomes).enumerate();
            record.detections.extend(matched.map(|(rank, (detection, outcome))| Record {
                score: detection.score,
                rank,
                outcome,
            }));
        }
    }

    /// The scores of all pictures so far.
    pub fn scores(&self) -> CocoScores {
        let sorted: Vec<Vec<Record>> = self.classes.iter().map(ClassRecord::sorted).collect();
        let of = |range: usize, max_detections: usize| -> Vec<ByThreshold> {
            let at = |class: usize, threshold: usize| {
                let num_truths = self.classes[class].num_truths[range];
                let curve = Curve::new(&sorted[class], num_truths, range, threshold, max_detections);
                (mean(curve.precision_at_recalls()), curve.recall())
            };
            (0..sorted.len()).map(|class| std::array::from_fn(|threshold| at(class, threshold))).collect()
        };
        let precision = |classes: &[ByThreshold]| mean(classes.iter().flatten().map(|pair| pair.0));
        let precision_at = |classes: &[ByThreshold], threshold: usize| mean(classes.iter().map(|own| own[threshold].0));
        let recall = |classes: &[ByThreshold]| mean(classes.iter().flatten().map(|pair| pair.1));
        let [first, second, last] = self.max_detections;
        let [all, small, medium, large] = [0, 1, 2, 3].map(|range| of(range, last));
        let class_scores = |(own, record): (&ByThreshold, &ClassRecord)| CocoClassScores {
            average_precision: mean(own.iter().map(|pair| pair.0)),
            average_precision_50: own[0].0,
            average_precision_75: own[5].0,
            average_recall: mean(own.iter().map(|pair| pair.1)),
            num_truths: record.num_truths[0],
        };
        CocoScores {
            average_precision: precision(&all),
            average_precision_50: precision_at(&all, 0),
            average_precision_75: precision_at(&all, 5),
            average_precision_small: precision(&small),
            average_precision_medium: precision(&medium),
            average_precision_large: precision(&large),
            average_recall_1: recall(&of(0, first)),
            average_recall_10: recall(&of(0, second)),
            average_recall_100: recall(&all),
            average_recall_small: recall(&small),
            average_recall_medium: recall(&medium),
            average_recall_large: recall(&large),
            max_detections: self.max_detections,
            classes: all.iter().zip(&self.classes).map(class_scores).collect(),
            signature: self.signature(),
        }
    }

    /// The highest precision of a class at each recall 0, 0.01, ..., 1 or a higher one, at intersection over union of
    /// 0.5: what a plot of precision over recall shows. NaN where the class has no truths.
    ///
    /// # Panics
    /// If the class is not below the number of classes.
    #[track_caller]
    pub fn precision_at_recalls(&self, class: usize) -> Vec<f64> {
        let record = &self.classes[class];
        let sorted = record.sorted();
        Curve::new(&sorted, record.num_truths[0], 0, 0, self.max_detections[2]).precision_at_recalls().collect()
    }

    /// Precision, recall and F1 at each confidence, at intersection over union of 0.5, of one class: what a confidence
    /// threshold is chosen by. Detections that are ignored are left out.
    ///
    /// # Panics
    /// If the class is not below the number of classes.
    #[track_caller]
    pub fn confidence_curve(&self, class: usize) -> PrecisionRecallCurve {
        confidence_curve(std::slice::from_ref(&self.classes[class]))
    }

    /// The [`confidence_curve`](Self::confidence_curve) of all classes together, each detection counting the same.
    pub fn micro_confidence_curve(&self) -> PrecisionRecallCurve {
        confidence_curve(&self.classes)
    }

    /// How the scores are computed: `coco-box-ap|iou=0.50:0.95|recall=101|max_dets=100`.
    pub fn signature(&self) -> String {
        format!("coco-{}-ap|iou=0.50:0.95|recall={NUM_RECALLS}|max_dets={}", R::KIND, self.max_detections[2])
    }
}

fn confidence_curve(classes: &[ClassRecord]) -> PrecisionRecallCurve {
    let counted = classes.iter().flat_map(|class| &class.detections);
    let counted = counted.filter(|record| record.outcome.is_ignored[0] & 1 == 0);
    let detections = counted.map(|record| (record.score, record.outcome.is_right[0] & 1 == 1)).collect();
    PrecisionRecallCurve::of_found(detections, classes.iter().map(|class| class.num_truths[0]).sum())
}

impl ClassRecord {
    /// The detections by falling score, equal ones in the order in which they came.
    fn sorted(&self) -> Vec<Record> {
        let mut sorted = self.detections.clone();
        sorted.sort_by(|a, b| falling(a.score, b.score));
        sorted
    }
}

/// Precision over recall of a class, a range of area and a threshold.
struct Curve {
    /// At each detection that counts, the truths found up to it and the highest precision there or later.
    points: Vec<(usize, f64)>,
    num_truths: usize,
}

impl Curve {
    fn new(sorted: &[Record], num_truths: usize, range: usize, threshold: usize, max_detections: usize) -> Self {
        let is_set = |bits: u16| bits >> threshold & 1 == 1;
        let (mut num_right, mut num_counted) = (0, 0);
        let counts = |record: &&Record| record.rank < max_detections && !is_set(record.outcome.is_ignored[range]);
        let point = |record: &Record| {
            num_right += usize::from(is_set(record.outcome.is_right[range]));
            num_counted += 1;
            (num_right, num_right as f64 / (num_counted as f64 + f64::EPSILON))
        };
        let mut points: Vec<(usize, f64)> = sorted.iter().filter(counts).map(point).collect();
        let mut highest = 0.0f64;
        for point in points.iter_mut().rev() {
            highest = highest.max(point.1);
            point.1 = highest;
        }
        Self { points, num_truths }
    }

    /// The share of truths that is found; NaN of none.
    fn recall(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.0 as f64) / self.num_truths as f64
    }

    fn precision_at_recalls(&self) -> impl Iterator<Item = f64> {
        let num_truths = self.num_truths as f64;
        let mut points = self.points.iter().peekable();
        (0..NUM_RECALLS).map(move |place| {
            if num_truths == 0.0 {
                return f64::NAN;
            }
            // In the arithmetic of `numpy.linspace`, to the bit.
            let recall = if place + 1 == NUM_RECALLS { 1.0 } else { place as f64 * 0.01 };
            while points.next_if(|point| (point.0 as f64 / num_truths) < recall).is_some() {}
            points.peek().map_or(0.0, |point| point.1)
        })
    }
}
