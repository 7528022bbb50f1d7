//! Objects that were found against those that are there: boxes, and masks where there are any.

use gyrus_data::{DataError, Object, Target};
use gyrus_geometry::{RunLengthMask, Xywh, Xyxy};
use gyrus_metrics::{
    CocoEvaluator, CocoScores, Detection, PascalVocEvaluator, PascalVocInterpolation, PrecisionRecallCurve,
    Truth as TrueRegion,
};
use gyrus_train::record::{Content, Panel};

use super::{Tally, Truth};
use crate::Scores;
use crate::vision::{Answer, Found};

/// The overlap from which on an object is found, where the figure says nothing else.
const OVERLAP: f64 = 0.5;

/// The most classes that have curves of their own.
const MOST_CURVES: usize = 8;

/// A curve, x with y.
type Points = Vec<(f64, f64)>;

/// Counts objects. Scores are COCO's average precisions of boxes (`map`, the mean over overlaps from 0.50 to 0.95, `map50`,
/// `map75`, `map_small`, `map_medium`, `map_large`), the same of masks (`mask_map`, …), and Pascal VOC's average precision
/// (`voc_map50`). What cannot be measured is left out.
pub struct ObjectTally {
    classes: Vec<String>,
    num_images: usize,
    boxes: CocoEvaluator<Xywh>,
    masks: Option<CocoEvaluator<RunLengthMask>>,
    pascal_voc: PascalVocEvaluator<Xyxy>,
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
        let own = |points: &dyn Fn(usize, &PrecisionRecallCurve) -> Points| -> Vec<(String, Points)> {
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
        let signatures: Vec<String> = signatures.into_iter().chain(masks).collect();
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

#[cfg(test)]
mod tests {
    use gyrus_data::target::Shape;
    use gyrus_data::{Dataset, Geometry, ImageFile, Split};
    use gyrus_geometry::Mask;

    use super::*;

    const SIZE: Geometry = Geometry { height: 100, width: 200, channels: 3 };

    fn place(left: f64, right: f64) -> Xyxy {
        Xyxy::new(left, 10.0, right, 50.0)
    }

    fn found(class: usize, score: f64, bounds: Xyxy) -> Found {
        Found { class, score, bounds, mask: None }
    }

    fn tally(targets: Vec<Target>, answers: Vec<Vec<Found>>, has_masks: bool) -> ObjectTally {
        let file =
            |target| ImageFile { split: Split::Test, target, image: std::path::PathBuf::from("none.png").into() };
        let classes = vec!["cat".to_owned(), "dog".to_owned()];
        let dataset = Dataset::from_files(classes.clone(), targets.into_iter().map(file).collect()).unwrap();
        let mut tally = ObjectTally::new(classes, 100, has_masks);
        for (index, answer) in answers.into_iter().enumerate() {
            tally.count(&Truth { dataset: &dataset, index, size: SIZE }, &Answer::Objects(answer)).unwrap();
        }
        tally
    }

    fn score(tally: &ObjectTally, name: &str) -> Option<f64> {
        tally.scores().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// By hand: of two cats one is found, after a wrong one; the dog is found exactly, a difficult one does not count.
    #[test]
    fn what_is_found_where_counts() {
        let difficult = Object { is_difficult: true, ..Object::of_box(1, place(100.0, 140.0)) };
        let targets = vec![
            Target::Objects(vec![Object::of_box(0, place(0.0, 40.0)), Object::of_box(1, place(50.0, 90.0)), difficult]),
            Target::Objects(vec![Object::of_box(0, place(0.0, 40.0))]),
            Target::Objects(vec![]),
            Target::Unlabelled,
        ];
        let answers = vec![
            vec![found(1, 0.9, place(50.0, 90.0)), found(1, 0.8, place(100.0, 140.0)), found(0, 0.5, place(0.0, 30.0))],
            vec![],
            vec![found(0, 0.7, place(0.0, 40.0))],
            vec![found(0, 0.99, place(0.0, 40.0))],
        ];
        let tally = tally(targets, answers, false);
        // Of the cats, half of the recall has a precision of a half: 51 of 101 recalls.
        let cats = 0.5 * 51.0 / 101.0;
        assert!((score(&tally, "map50").unwrap() - (cats + 1.0) / 2.0).abs() < 1e-9);
        assert!((score(&tally, "voc_map50").unwrap() - (0.25 + 1.0) / 2.0).abs() < 1e-9);
        // Three quarters of a box: the six thresholds of overlap up to 0.75.
        assert!((score(&tally, "map").unwrap() - (cats * 0.6 + 1.0) / 2.0).abs() < 1e-9);
        assert_eq!(score(&tally, "mask_map"), None);
        // Above 0.5 there are no cats; up to there, one right, one wrong, one missed.
        assert_eq!(tally.confidence(), Some(0.01));
        let panels = tally.panels();
        let [Content::Table { rows, .. }, Content::Lines { .. }, Content::Lines { .. }] = &panels[0].content[..] else {
            panic!("{panels:?}")
        };
        assert_eq!(rows[0][..3], ["cat", "2", "0.151"]);
        assert_eq!(rows[1][..5], ["dog", "1", "1.000", "1.000", "1.000"]);
        assert!(panels[0].about.contains("coco-box-ap|iou=0.50:0.95"), "{}", panels[0].about);
    }

    /// A low score that is wrong is what the threshold leaves out.
    #[test]
    fn the_confidence_is_where_f1_is_greatest() {
        let targets = vec![Target::Objects(vec![Object::of_box(0, place(0.0, 40.0))])];
        let wrong = (0..5).map(|index| found(0, 0.305 - 0.01 * f64::from(index), place(100.0, 140.0)));
        let answer = [found(0, 0.805, place(0.0, 40.0))].into_iter().chain(wrong).collect();
        let tally = tally(targets, vec![answer], false);
        assert_eq!(tally.confidence(), Some(0.31));
    }

    /// Boxes agree, masks do not: half of the pixels are at the threshold, a third is below.
    #[test]
    fn masks_are_measured_by_their_pixels() {
        let covering = |right: usize| {
            let mask = Mask::from_fn(SIZE.width, SIZE.height, |x, y| x < right && (10..50).contains(&y));
            RunLengthMask::from(&mask)
        };
        let object = Object { shape: Shape::Runs(covering(60)), ..Object::of_box(0, place(0.0, 60.0)) };
        for (right, expected) in [(60, 1.0), (30, 0.1), (20, 0.0)] {
            let answer = Found { mask: Some(covering(right)), ..found(0, 0.9, place(0.0, 60.0)) };
            let tally = tally(vec![Target::Objects(vec![object.clone()])], vec![vec![answer]], true);
            assert!((score(&tally, "map").unwrap() - 1.0).abs() < 1e-9);
            assert!((score(&tally, "mask_map").unwrap() - expected).abs() < 1e-9, "{right}");
        }
    }

    #[test]
    fn nothing_is_measured_of_nothing() {
        assert_eq!(tally(vec![Target::Unlabelled], vec![vec![]], true).scores(), []);
    }
}
