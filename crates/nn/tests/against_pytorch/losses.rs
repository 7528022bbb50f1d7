use gyrus_nn::losses::{CrossEntropy, Dice, mse_loss};
use gyrus_tensor::{DType, grad};
use serde_json::Value as Json;

use crate::arrays::{assert_close, cases, tensor};

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let options = &case["options"];
    let (predictions, targets) = (tensor(&case["predictions"], dtype), tensor(&case["targets"], dtype));
    let value = match case["loss"].as_str().unwrap() {
        "cross_entropy" => {
            let mut loss = CrossEntropy::default().label_smoothing(options["label_smoothing"].as_f64().unwrap_or(0.0));
            if let Some(index) = options["ignore_index"].as_i64() {
                loss = loss.ignore_index(index);
            }
            if let Some(weights) = options["weight"].as_array() {
                loss = loss.class_weights(weights.iter().map(|weight| weight.as_f64().unwrap()).collect());
            }
            loss.loss(&predictions, &targets)
        }
        "dice" => {
            let mut loss = Dice::default().smooth(options["smooth"].as_f64().unwrap());
            if let Some(index) = options["ignore_index"].as_i64() {
                loss = loss.ignore_index(index);
            }
            loss.loss(&predictions, &targets)
        }
        "mse_loss" => mse_loss(&predictions, &targets),
        other => panic!("{other}: no such loss"),
    };
    let (found, golden) = (value.item(), case["value"].as_f64().unwrap());
    let what = format!("{} {options} {dtype}", case["loss"]);
    assert!((found - golden).abs() <= tolerance * (1.0 + golden.abs()), "{what}: {found} instead of {golden}");
    assert_close(&what, &grad(&value, &[&predictions])[0], &case["gradient"], tolerance);
}

#[test]
fn losses_in_f64() {
    cases(include_str!("../golden/losses.json")).iter().for_each(|case| check(case, DType::F64, 1e-12));
}

#[test]
fn losses_in_f32() {
    cases(include_str!("../golden/losses.json")).iter().for_each(|case| check(case, DType::F32, 1e-5));
}
