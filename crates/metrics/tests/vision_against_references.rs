//! Classification and segmentation metrics against values made by `scripts/goldens/vision_metrics.py` with
//! scikit-learn and torchmetrics.

use gyrus_geometry::RunLengthMask;
use gyrus_metrics::{
    Average, ConfusionMatrix, Detection, MultiLabelCounts, PanopticEvaluator, PrecisionRecallCurve, Scores,
    SegmentationScores, Truth, auroc, auroc_one_vs_rest, average_precision, expected_calibration_error,
    mean_average_precision,
};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/vision_metrics.json");
const AVERAGES: [(Average, &str); 3] =
    [(Average::Macro, "macro"), (Average::Micro, "micro"), (Average::Weighted, "weighted")];

fn cases(key: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden[key].as_array().unwrap().clone();
    assert!(cases.len() >= 2);
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|number| number as f32).collect()
}

fn labels(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|number| number as usize).collect()
}

fn flags(value: &Value) -> Vec<bool> {
    numbers(value).into_iter().map(|number| number == 1.0).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

#[track_caller]
fn assert_near(found: f64, expected: &Value, name: &str, tolerance: f64) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("the golden case lacks `{name}`"));
    assert!((found - expected).abs() <= tolerance, "{name}: {found}, expected {expected}");
}

#[track_caller]
fn assert_close(found: f64, case: &Value, name: &str) {
    assert_near(found, &case[name], name, 1e-12);
}

#[track_caller]
fn assert_scores(found: Scores, expected: &Value) {
    assert_close(found.precision, expected, "precision");
    assert_close(found.recall, expected, "recall");
    assert_close(found.f1, expected, "f1");
}

#[test]
fn of_two_classes() {
    for case in cases("binary") {
        let (scores, positive) = (floats(&case["scores"]), flags(&case["positive"]));
        assert_close(auroc(&scores, &positive), &case, "auroc");
        assert_close(average_precision(&scores, &positive), &case, "average_precision");
        let curve = PrecisionRecallCurve::new(&scores, &positive);
        // scikit-learn leaves no point out: thresholds of full recall follow in both.
        assert_eq!(curve.points().len(), numbers(&case["thresholds"]).len());
        for (place, point) in curve.points().iter().enumerate() {
            assert_near(point.threshold, &case["thresholds"][place], "threshold", 0.0);
            assert_near(point.precision, &case["precision"][place], "precision", 1e-12);
            assert_near(point.recall, &case["recall"][place], "recall", 1e-12);
            assert_near(point.f1, &case["f1"][place], "f1", 1e-12);
        }
        let best = numbers(&case["f1"]).into_iter().fold(0.0, f64::max);
        assert!((curve.best_f1().unwrap().f1 - best).abs() < 1e-12);
    }
}

#[test]
fn of_several_classes() {
    for case in cases("classes") {
        let (targets, num_classes) = (labels(&case["targets"]), number(&case["num_classes"]));
        let probabilities = floats(&case["probabilities"]);
        assert_close(auroc_one_vs_rest(&probabilities, num_classes, &targets), &case, "auroc_one_vs_rest");
        let matrix = ConfusionMatrix::from_labels(num_classes, &labels(&case["predicted"]), &targets);
        assert_close(matrix.balanced_accuracy(), &case, "balanced_accuracy");
        assert_close(matrix.cohen_kappa(), &case, "cohen_kappa");
        assert_close(matrix.matthews_correlation(), &case, "matthews_correlation");
        let error = expected_calibration_error(&probabilities, num_classes, &targets, 15);
        let name = "calibration_error_15_single_precision";
        assert_near(error, &case[name], name, 1e-6);
    }
}

#[test]
fn of_several_labels() {
    for case in cases("multi_label") {
        let (targets, predicted) = (flags(&case["targets"]), flags(&case["predicted"]));
        let num_labels = number(&case["num_labels"]);
        let mut counts = MultiLabelCounts::new(num_labels);
        for (predicted, targets) in predicted.chunks_exact(num_labels).zip(targets.chunks_exact(num_labels)) {
            counts.add(predicted, targets);
        }
        assert_close(counts.subset_accuracy(), &case, "subset_accuracy");
        for label in 0..num_labels {
            assert_near(counts.label_scores(label).f1, &case["per_label_f1"][label], "per_label_f1", 1e-12);
        }
        for (average, name) in AVERAGES {
            assert_scores(counts.average_scores(average), &case[name]);
        }
        let mean = mean_average_precision(&floats(&case["scores"]), num_labels, &targets);
        assert_close(mean, &case, "mean_average_precision");
    }
}

#[test]
fn of_pixels() {
    for case in cases("segmentation") {
        let ignore = case["ignore"].as_u64().map(|label| label as usize);
        let mut matrix = ConfusionMatrix::new(number(&case["num_classes"]));
        let (predicted, targets) = (labels(&case["predicted"]), labels(&case["targets"]));
        let half = targets.len() / 2;
        matrix.add_pixels(&predicted[..half], &targets[..half], ignore);
        matrix.add_pixels(&predicted[half..], &targets[half..], ignore);
        let scores = SegmentationScores::new(&matrix, ignore);
        assert_close(scores.mean_intersection_over_union, &case, "mean_intersection_over_union");
        assert_close(scores.mean_dice, &case, "mean_dice");
        assert_close(scores.pixel_accuracy, &case, "pixel_accuracy");
        assert_close(scores.mean_class_accuracy, &case, "mean_class_accuracy");
        let present = labels(&case["present"]);
        for (class, found) in scores.classes.iter().enumerate() {
            let expected = &case["intersection_over_union"][class];
            if present.contains(&class) {
                assert_near(found.intersection_over_union, expected, "intersection over union", 1e-12);
            } else {
                assert!(found.intersection_over_union.is_nan() && found.dice.is_nan() && found.accuracy.is_nan());
            }
        }
    }
}

#[test]
fn of_instances() {
    for case in cases("panoptic") {
        let side = number(&case["side"]);
        // torchmetrics divides in single precision.
        let single = f64::from(f32::EPSILON);
        // The background is an instance too: labels begin at 1.
        let instances = |picture: &Value, name: &str| {
            let classes = labels(&picture[format!("{name}_classes")]);
            let image: Vec<u32> = labels(&picture[name]).into_iter().map(|label| label as u32 + 1).collect();
            let masks = RunLengthMask::of_labels(side, side, &image).unwrap();
            masks.into_iter().map(move |(label, mask)| (mask, classes[label as usize - 1])).collect::<Vec<_>>()
        };
        let mut evaluator = PanopticEvaluator::new(4);
        for picture in case["pictures"].as_array().unwrap() {
            let truths = instances(picture, "truth").into_iter().map(|(mask, class)| Truth::new(mask, class));
            let found = instances(picture, "found").into_iter().map(|(mask, class)| Detection::new(mask, class, 1.0));
            evaluator.add(&truths.collect::<Vec<_>>(), &found.collect::<Vec<_>>());
        }
        for class in 0..4 {
            let scores = evaluator.class_scores(class);
            let counts = labels(&case["counts"][class]);
            assert_eq!((scores.num_truths, scores.num_detections), (counts[0] + counts[2], counts[0] + counts[1]));
            if scores.num_truths + scores.num_detections == 0 {
                assert!(scores.panoptic_quality.is_nan());
                continue;
            }
            let quality = &case["quality"][class];
            assert_near(scores.panoptic_quality, &quality[0], "panoptic quality", single);
            assert_near(scores.segmentation_quality, &quality[1], "segmentation quality", single);
            assert_near(scores.recognition_quality, &quality[2], "recognition quality", single);
            assert!((scores.precision - counts[0] as f64 / scores.num_detections as f64).abs() < 1e-12);
            assert!((scores.recall - counts[0] as f64 / scores.num_truths as f64).abs() < 1e-12);
        }
        assert_near(evaluator.mean_panoptic_quality(), &case["mean"], "mean panoptic quality", single);
        assert_eq!(evaluator.signature(), "panoptic-mask-quality|iou=>0.50|classes=present");
    }
}

#[test]
fn signatures_name_the_ignored_label() {
    let matrix = ConfusionMatrix::new(2);
    assert_eq!(SegmentationScores::new(&matrix, None).signature, "miou|classes=present|ignore=none");
}
