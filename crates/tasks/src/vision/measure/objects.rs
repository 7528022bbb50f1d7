//! Objects that were found against those that are there: boxes, and masks where there are any.

use gyrus_data::{DataError, Object, Target};
use gyrus_geometry::{RunLengthMask, Xywh, Xyxy};
use gyrus_metrics::{
    CocoEvaluator, CocoScores, Detection, PascalVocEvaluator, PascalVocInterpolation, PrecisionRecallCurve,
    Truth as TrueRegion, localization_accuracy, signature,
};
use gyrus_train::record::{Content, Panel};

use super::{Tally, Truth};
use crate::Scores;
use crate::vision::{Answer, Found};

/// The overlap from which on an object is found, where the figure says nothing else.
const OVERLAP: f64 = 0.5;

/// The most classes that have curves of their own.
const MOST_CURVES: usize = 8;

/// Counts objects. Scores are COCO's average precisions of boxes (`map`, the mean over overlaps from 0.50 to 0.95, `map50`,
/// `map75`, `map_small`, `map_medium`, `map_large`), the same of masks (`mask_map`, …), Pascal VOC's average precision
/// (`voc_map50`), and where each image has one object the share of images whose best answer has its class and an overlap
/// of at least 0.5 (`localization_accuracy`). What cannot be measured is left out.
pub struct ObjectTally {
    classes: Vec<String>,
    num_images: usize,
    boxes: CocoEvaluator<Xywh>,
    masks: Option<CocoEvaluator<RunLengthMask>>,
    pascal_voc: PascalVocEvaluator<Xyxy>,
    /// Of each image with one object the best answer and the truth; nothing once an image had another number of objects.
    single: Option<Vec<[(usize, Xyxy); 2]>>,
}

impl ObjectTally {
    /// Of so many objects an image at most, with or without masks.
    pub fn new(classes: Vec<String>, most: usize, has_masks: bool) -> Self {
        let (count, limits) = (classes.len(), [1, 10, most.max(10)]);
        ObjectTally {
            classes,
            num_images: 0,
            boxes: CocoEvaluator::with_max_detections(count, limits),
            masks: has_masks.then(|| CocoEvaluator::with_max_detections(count, limits)),
            pascal_voc: PascalVocEvaluator::new(count, OVERLAP),
            single: Some(vec![]),
        }
    }

    /// The mean F1 of the classes at a confidence.
    fn mean_f1(curves: &[PrecisionRecallCurve], confidence: f64) -> f64 {
        curves.iter().map(|curve| f1_at(curve, confidence)).sum::<f64>() / curves.len() as f64
    }

    /// The curves of the classes that there are, with their numbers.
    fn curves(&self) -> Vec<(usize, PrecisionRecallCurve)> {
        let curves = (0..self.classes.len()).map(|class| (class, self.boxes.confidence_curve(class)));
        curves.filter(|(_, curve)| curve.num_positives() > 0).collect()
    }

    fn table(&self) -> Content {
        let scores = self.boxes.scores();
        let masks = self.masks.as_ref().map(CocoEvaluator::scores);
        let confidence = self.confidence();
        let mut header = vec!["class", "objects", "AP 50-95", "AP 50", "AP 75", "precision", "recall", "F1"];
        if masks.is_some() {
            header.extend(["mask AP 50-95", "mask AP 50"]);
        }
        let row = |class: usize| {
            let own = &scores.classes[class];
            let point = confidence.and_then(|least| at(&self.boxes.confidence_curve(class), least));
            let mut numbers = vec![own.average_precision, own.average_precision_50, own.average_precision_75];
            numbers.extend(point.map_or([f64::NAN; 3], |point| [point.precision, point.recall, point.f1]));
            if let Some(masks) = &masks {
                let own = &masks.classes[class];
                numbers.extend([own.average_precision, own.average_precision_50]);
            }
            let cells = [self.classes[class].clone(), own.num_truths.to_string()];
            cells.into_iter().chain(numbers.into_iter().map(shown)).collect()
        };
        let header = header.into_iter().map(String::from).collect();
        Content::Table { header, rows: (0..self.classes.len()).map(row).collect() }
    }

    fn lines(&self) -> [Content; 2] {
        let mut curves = self.curves();
        let all: Vec<PrecisionRecallCurve> = curves.iter().map(|(_, curve)| curve.clone()).collect();
        curves.sort_by_key(|(_, curve)| std::cmp::Reverse(curve.num_positives()));
        curves.truncate(MOST_CURVES);
        let own = |points: &dyn Fn(usize, &PrecisionRecallCurve) -> Vec<(f64, f64)>| -> Vec<_> {
            curves.iter().map(|(class, curve)| (self.classes[*class].clone(), points(*class, curve))).collect()
        };
        let precision = own(&|class, _| {
            let precisions = self.boxes.precision_at_recalls(class).into_iter();
            precisions.enumerate().map(|(place, precision)| (place as f64 / 100.0, precision)).collect()
        });
        let mut f1 = own(&|_, curve| confidences().map(|least| (least, f1_at(curve, least))).collect());
        if all.len() > 1 {
            f1.push(("all classes".into(), confidences().map(|least| (least, Self::mean_f1(&all, least))).collect()));
        }
        let chart = |title: &str, x_label: &str, y_label: &str, series| Content::Lines {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            series,
        };
        [
            chart("Precision over recall", "recall", "precision", precision),
            chart("F1 over confidence", "confidence", "F1", f1),
        ]
    }
}

impl Tally for ObjectTally {
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError> {
        let Answer::Objects(found) = answer else { return Ok(()) };
        if matches!(truth.dataset.target(truth.index), Target::Unlabelled) {
            return Ok(());
        }
        self.num_images += 1;
        let objects = truth.dataset.objects(truth.index)?;
        let is_ignored = |object: &Object| object.is_crowd || object.is_difficult;
        let (width, height) = (truth.size.width, truth.size.height);

        let wanted = |object: &Object| TrueRegion {
            is_ignored: is_ignored(object),
            ..TrueRegion::new(Xywh::from(object.bounds), object.class)
        };
        let truths: Vec<TrueRegion<Xywh>> = objects.iter().map(wanted).collect();
        self.boxes.add(&truths, &detections(found, |one| Some(Xywh::from(one.bounds))));

        let edges = |truth: &TrueRegion<Xywh>| TrueRegion {
            is_ignored: truth.is_ignored,
            ..TrueRegion::new(Xyxy::from(truth.region), truth.class)
        };
        let edges: Vec<TrueRegion<Xyxy>> = truths.iter().map(edges).collect();
        self.pascal_voc.add(&edges, &detections(found, |one| Some(one.bounds)));

        if let Some(masks) = &mut self.masks {
            let covered = |object: &Object| TrueRegion {
                is_ignored: is_ignored(object),
                ..TrueRegion::new(object.mask(width, height), object.class)
            };
            let truths: Vec<TrueRegion<RunLengthMask>> = objects.iter().map(covered).collect();
            masks.add(&truths, &detections(found, |one| one.mask.clone()));
        }

        let counted: Vec<&TrueRegion<Xyxy>> = edges.iter().filter(|truth| !truth.is_ignored).collect();
        match (&mut self.single, &counted[..]) {
            (Some(single), [truth]) => {
                // An image without an answer is answered wrongly: by no class that there is.
                let best = found.first().map_or((usize::MAX, Xyxy::default()), |best| (best.class, best.bounds));
                single.push([best, (truth.class, truth.region)]);
            }
            _ => self.single = None,
        }
        Ok(())
    }

    fn scores(&self) -> Scores {
        if self.num_images == 0 {
            return vec![];
        }
        let mut scores = named("", &self.boxes.scores());
        scores.extend(self.masks.iter().flat_map(|masks| named("mask_", &masks.scores())));
        let pascal_voc = self.pascal_voc.mean_average_precision(PascalVocInterpolation::AllPoints);
        scores.push(("voc_map50".into(), pascal_voc));
        if let Some(single) = &self.single {
            let (found, truths): (Vec<_>, Vec<_>) = single.iter().map(|&[found, truth]| (found, truth)).unzip();
            scores.push(("localization_accuracy".into(), localization_accuracy(&found, &truths, OVERLAP)));
        }
        // The first is what a run is judged by: it is there even where it is no number.
        let is_known = |(place, (_, value)): &(usize, (String, f64))| *place == 0 || !value.is_nan();
        scores.into_iter().enumerate().filter(is_known).map(|(_, score)| score).collect()
    }

    /// The confidence in whole hundredths at which the mean F1 of the classes is greatest; of several the least.
    fn confidence(&self) -> Option<f64> {
        let curves: Vec<PrecisionRecallCurve> = self.curves().into_iter().map(|(_, curve)| curve).collect();
        let scored = confidences().map(|least| (least, Self::mean_f1(&curves, least)));
        let best = scored.reduce(|best, own| if own.1 > best.1 { own } else { best })?;
        (best.1 > 0.0).then_some(best.0)
    }

    fn panels(&self) -> Vec<Panel> {
        let signatures = [self.boxes.signature(), self.pascal_voc.signature(PascalVocInterpolation::AllPoints)];
        let masks = self.masks.iter().map(CocoEvaluator::signature);
        let single = self.single.iter().map(|_| signature::localization_accuracy(OVERLAP));
        let signatures: Vec<String> = signatures.into_iter().chain(masks).chain(single).collect();
        let at = self.confidence().map_or(String::new(), |confidence| {
            format!(
                "Precision, recall and F1 are those of boxes at confidence {confidence:.2}, where the mean F1 is greatest, and an \
                 overlap (intersection over union) of {OVERLAP}. "
            )
        });
        let [precision, f1] = self.lines();
        vec![Panel {
            id: "objects".into(),
            title: "Objects".into(),
            about: format!("{at}Computed as {}.", signatures.join(", ")),
            content: vec![self.table(), precision, f1],
        }]
    }
}

/// What was found, by some region of it; what has none is left out.
fn detections<R>(found: &[Found], region: impl Fn(&Found) -> Option<R>) -> Vec<Detection<R>> {
    found.iter().filter_map(|one| Some(Detection::new(region(one)?, one.class, one.score))).collect()
}

fn named(prefix: &str, scores: &CocoScores) -> Scores {
    [
        ("map", scores.average_precision),
        ("map50", scores.average_precision_50),
        ("map75", scores.average_precision_75),
        ("map_small", scores.average_precision_small),
        ("map_medium", scores.average_precision_medium),
        ("map_large", scores.average_precision_large),
    ]
    .map(|(name, value)| (format!("{prefix}{name}"), value))
    .to_vec()
}

/// The confidences among which one is chosen.
fn confidences() -> impl Iterator<Item = f64> {
    (1..100).map(|hundredth| f64::from(hundredth) / 100.0)
}

/// What "all that scores at least so much" gives; nothing where nothing does.
fn at(curve: &PrecisionRecallCurve, confidence: f64) -> Option<gyrus_metrics::PrecisionRecallPoint> {
    curve.points().iter().copied().take_while(|point| point.threshold >= confidence).last()
}

fn f1_at(curve: &PrecisionRecallCurve, confidence: f64) -> f64 {
    at(curve, confidence).map_or(0.0, |point| point.f1)
}

fn shown(number: f64) -> String {
    if number.is_nan() { "–".into() } else { format!("{number:.3}") }
}
