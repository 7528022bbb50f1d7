use gyrus_nn::losses::{
    complete_box_iou_loss, distance_box_iou_loss, generalised_box_iou_loss, quality_focal_loss, sigmoid_focal_loss,
    varifocal_loss,
};
use gyrus_tensor::{DType, Tensor, grad};
use serde_json::Value as Json;

use crate::arrays::{assert_close, cases, tensor};

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let options = &case["options"];
    // Targets that are all 0 or 1 are written as reals, and read as such.
    let [predictions, targets] = ["predictions", "targets"].map(|name| tensor(&case[name], dtype).to_dtype(dtype));
    let number = |name: &str| options[name].as_f64().unwrap();
    let losses = match case["loss"].as_str().unwrap() {
        "sigmoid_focal_loss" => sigmoid_focal_loss(&predictions, &targets, options["alpha"].as_f64(), number("gamma")),
        "quality_focal_loss" => quality_focal_loss(&predictions, &targets, number("beta")),
        "varifocal_loss" => varifocal_loss(&predictions, &targets, number("alpha"), number("gamma")),
        "generalised_box_iou_loss" => generalised_box_iou_loss(&predictions, &targets),
        "distance_box_iou_loss" => distance_box_iou_loss(&predictions, &targets),
        "complete_box_iou_loss" => complete_box_iou_loss(&predictions, &targets),
        other => panic!("{other}: no such loss"),
    };
    let what = format!("{} {options} {dtype}", case["loss"]);
    assert_close(&what, &losses, &case["losses"], tolerance);
    let weights = Tensor::range(1.0, losses.num_elements() as f64 + 1.0, 1.0, dtype).reshape(losses.shape());
    let gradient = &grad(&(losses * weights).sum(..), &[&predictions])[0];
    assert_close(&what, gradient, &case["gradient"], tolerance);
}

#[test]
fn detection_losses_in_f64() {
    cases(include_str!("../golden/detection_losses.json")).iter().for_each(|case| check(case, DType::F64, 1e-12));
}

#[test]
fn detection_losses_in_f32() {
    cases(include_str!("../golden/detection_losses.json")).iter().for_each(|case| check(case, DType::F32, 2e-5));
}
