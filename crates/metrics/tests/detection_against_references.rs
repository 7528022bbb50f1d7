//! Detection metrics against values made by `scripts/goldens/detection.py` with pycocotools and ChainerCV.

use gyrus_geometry::{Region, RunLengthMask, Xywh, Xyxy};
use gyrus_metrics::{
    CocoEvaluator, Detection, PascalVocEvaluator, PascalVocInterpolation, PrecisionRecallCurve, PrecisionRecallPoint,
    Truth,
};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/detection.json");

fn cases(key: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden[key].as_array().unwrap().clone();
    assert!(cases.len() >= 2);
    cases
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Where there is nothing to count, pycocotools says -1, the golden file null, and these metrics NaN.
#[track_caller]
fn assert_close(found: f64, expected: &Value, name: &str) {
    match expected.as_f64() {
        Some(expected) => assert!((found - expected).abs() <= 1e-12, "{name}: {found}, expected {expected}"),
        None => assert!(expected.is_null() && found.is_nan(), "{name}: {found}, expected {expected}"),
    }
}

fn xywh(value: &Value) -> Xywh {
    let sides: Vec<f64> = list(value).iter().map(|side| side.as_f64().unwrap()).collect();
    Xywh::new(sides[0], sides[1], sides[2], sides[3])
}

type Picture<R> = (Vec<Truth<R>>, Vec<Detection<R>>);

fn pictures<R: Region>(case: &Value, region: impl Fn(&Value) -> R) -> Vec<Picture<R>> {
    let mut pictures: Vec<_> = (0..number(&case["num_pictures"])).map(|_| (vec![], vec![])).collect();
    for row in list(&case["truths"]) {
        let truth = Truth {
            region: region(&row[4]),
            class: number(&row[1]),
            area: row[3].as_f64().unwrap(),
            is_ignored: row[2] == 1,
        };
        pictures[number(&row[0])].0.push(truth);
    }
    for row in list(&case["detections"]) {
        let detection = Detection::new(region(&row[3]), number(&row[1]), row[2].as_f64().unwrap());
        pictures[number(&row[0])].1.push(detection);
    }
    pictures
}

#[track_caller]
fn assert_curve(curve: &PrecisionRecallCurve, expected: &Value) {
    let assert_point = |point: &PrecisionRecallPoint, expected: &Value| {
        let values = [point.threshold, point.precision, point.recall, point.f1];
        values.iter().zip(list(expected)).for_each(|(&found, expected)| assert_close(found, expected, "curve"));
    };
    assert_eq!(curve.points().len(), number(&expected["num_points"]));
    let every_fifth = curve.points().iter().step_by(5).zip(list(&expected["every_fifth"]));
    every_fifth.for_each(|(point, expected)| assert_point(point, expected));
    match curve.best_f1() {
        Some(best) => assert_point(&best, &expected["best"]),
        None => assert!(expected["best"].is_null()),
    }
}

fn assert_coco<R: Region>(case: &Value, region: impl Fn(&Value) -> R) {
    let num_classes = number(&case["num_classes"]);
    let mut evaluator = CocoEvaluator::new(num_classes);
    for (truths, detections) in pictures(case, region) {
        evaluator.add(&truths, &detections);
    }
    let scores = evaluator.scores();
    for ((name, found), expected) in scores.named().into_iter().zip(list(&case["scores"])) {
        assert_close(found, expected, &name);
    }
    for (class, found) in scores.classes.iter().enumerate() {
        assert_close(found.average_precision, &case["class_ap"][class], "class AP");
        assert_close(found.average_precision_50, &case["class_ap50"][class], "class AP50");
        assert_close(found.average_precision_75, &case["class_ap75"][class], "class AP75");
        assert_close(found.average_recall, &case["class_ar"][class], "class AR");
        let precision = evaluator.precision_at_recalls(class);
        assert_eq!(precision.len(), 101);
        match case["precision_at_recalls_50"][class].as_array() {
            Some(expected) => precision.iter().step_by(10).zip(expected).for_each(|(&found, expected)| {
                assert_close(found, expected, "precision at recalls");
            }),
            None => assert!(precision.iter().all(|value| value.is_nan())),
        }
        assert_curve(&evaluator.confidence_curve(class), &case["confidence_curves"][class]);
    }
    assert_curve(&evaluator.micro_confidence_curve(), &case["micro_confidence_curve"]);
}

#[test]
fn coco_of_boxes() {
    cases("coco_boxes").iter().for_each(|case| assert_coco(case, xywh));
}

#[test]
fn coco_of_masks() {
    for case in cases("coco_masks") {
        let side = number(&case["side"]);
        assert_coco(&case, |text| RunLengthMask::from_compressed(side, side, text.as_str().unwrap()).unwrap());
    }
}

#[test]
fn pascal_voc() {
    for case in cases("pascal_voc") {
        let num_classes = number(&case["num_classes"]);
        let mut evaluator = PascalVocEvaluator::new(num_classes, case["threshold"].as_f64().unwrap());
        for (truths, detections) in pictures(&case, |value| Xyxy::from(xywh(value))) {
            evaluator.add(&truths, &detections);
        }
        let ways = [
            (PascalVocInterpolation::AllPoints, "all_points"),
            (PascalVocInterpolation::ElevenPoints, "eleven_points"),
        ];
        for (interpolation, name) in ways {
            for class in 0..num_classes {
                assert_close(evaluator.average_precision(class, interpolation), &case[name][class], name);
            }
            assert_close(evaluator.mean_average_precision(interpolation), &case[format!("{name}_mean")], name);
        }
    }
}

#[test]
fn signatures_say_what_was_compared() {
    assert_eq!(CocoEvaluator::<Xywh>::new(1).signature(), "coco-box-ap|iou=0.50:0.95|recall=101|max_dets=100");
    let crowded = CocoEvaluator::<RunLengthMask>::with_max_detections(1, [1, 10, 5000]);
    let scores = crowded.scores();
    assert_eq!(scores.signature, "coco-mask-ap|iou=0.50:0.95|recall=101|max_dets=5000");
    assert_eq!(scores.named()[8].0, "AR-5000");
    assert!(scores.to_string().starts_with(&format!("{}\nAP        NaN\n", scores.signature)));
    let evaluator = PascalVocEvaluator::<Xyxy>::new(1, 0.5);
    assert_eq!(evaluator.signature(PascalVocInterpolation::ElevenPoints), "voc-box-ap|iou=0.50|recall=11");
    assert_eq!(evaluator.signature(PascalVocInterpolation::AllPoints), "voc-box-ap|iou=0.50|recall=all");
}
