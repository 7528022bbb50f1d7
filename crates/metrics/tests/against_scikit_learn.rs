//! Every metric against values made by `scripts/goldens/metrics.py`.

use gyrus_metrics::{
    Average, ConfusionMatrix, RunningStatistics, accuracy, cross_entropy, expected_calibration_error,
    mean_squared_error, top_k_accuracy,
};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/metrics.json");

fn cases() -> Vec<Value> {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    golden["cases"].as_array().unwrap().clone()
}

fn floats(case: &Value, key: &str) -> Vec<f32> {
    case[key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn labels(case: &Value, key: &str) -> Vec<usize> {
    case[key].as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn classes(case: &Value) -> usize {
    case["num_classes"].as_u64().unwrap() as usize
}

#[track_caller]
fn assert_close(found: f64, case: &Value, key: &str) {
    let expected = case[key].as_f64().unwrap_or_else(|| panic!("the golden case lacks `{key}`"));
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{key}: {found}, expected {expected}");
}

#[test]
fn there_are_several_cases() {
    assert!(cases().len() >= 4);
}

#[test]
fn accuracies() {
    for case in cases() {
        let (scores, targets) = (floats(&case, "probabilities"), labels(&case, "targets"));
        assert_close(accuracy(&labels(&case, "predicted"), &targets), &case, "accuracy");
        for k in [1, 2] {
            assert_close(top_k_accuracy(&scores, classes(&case), &targets, k), &case, &format!("top_{k}_accuracy"));
        }
    }
}

#[test]
fn precision_recall_and_f1() {
    for case in cases() {
        let matrix =
            ConfusionMatrix::from_labels(classes(&case), &labels(&case, "predicted"), &labels(&case, "targets"));
        for target in 0..classes(&case) {
            let row: Vec<usize> = (0..classes(&case)).map(|class| matrix.count(target, class) as usize).collect();
            assert_eq!(row, labels(&case["confusion_matrix"], &target.to_string()));
            let (scores, expected) = (matrix.class_scores(target), &case["per_class"][target]);
            assert_close(scores.precision, expected, "precision");
            assert_close(scores.recall, expected, "recall");
            assert_close(scores.f1, expected, "f1");
        }
        let averages = [(Average::Macro, "macro"), (Average::Micro, "micro"), (Average::Weighted, "weighted")];
        for (average, name) in averages {
            let scores = matrix.average_scores(average);
            assert_close(scores.precision, &case[name], "precision");
            assert_close(scores.recall, &case[name], "recall");
            assert_close(scores.f1, &case[name], "f1");
        }
    }
}

#[test]
fn likelihood_and_calibration() {
    for case in cases() {
        let (probabilities, targets) = (floats(&case, "probabilities"), labels(&case, "targets"));
        assert_close(cross_entropy(&probabilities, classes(&case), &targets), &case, "cross_entropy");
        let error = expected_calibration_error(&probabilities, classes(&case), &targets, 15);
        assert_close(error, &case, "expected_calibration_error_15");
    }
}

#[test]
fn values() {
    for case in cases() {
        let values = floats(&case, "values");
        assert_close(mean_squared_error(&values, &floats(&case, "value_targets")), &case, "mean_squared_error");
        let mut running = RunningStatistics::new();
        running.extend(values.iter().map(|&value| f64::from(value)));
        assert_close(running.mean(), &case, "mean");
        assert_close(running.variance(), &case, "variance");
    }
}
