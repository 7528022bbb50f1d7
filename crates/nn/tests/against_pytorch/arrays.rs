//! Golden arrays.

use gyrus_tensor::{DType, Tensor};
use serde_json::Value as Json;

/// The cases of a file beside this one.
pub fn cases(text: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(text).expect("valid JSON");
    assert!(file["versions"]["torch"].is_string(), "says which version made it");
    file["cases"].as_array().expect("a list").clone()
}

/// An array; whole numbers become `i64`, others the given type.
pub fn tensor(json: &Json, dtype: DType) -> Tensor {
    let list = |name: &str| json[name].as_array().expect("a list").iter();
    let shape: Vec<usize> = list("shape").map(|size| size.as_u64().expect("a size") as usize).collect();
    if list("data").all(Json::is_i64) {
        let labels: Vec<i64> = list("data").map(|value| value.as_i64().expect("a whole number")).collect();
        return Tensor::from_slice(shape, &labels);
    }
    let reals: Vec<f64> = list("data").map(|value| value.as_f64().expect("a number")).collect();
    Tensor::from_slice(shape, &reals).to_dtype(dtype)
}

/// Asserts that a tensor is the golden array.
pub fn assert_close(what: &str, found: &Tensor, golden: &Json, tolerance: f64) {
    let golden = tensor(golden, DType::F64);
    assert_eq!(found.shape(), golden.shape(), "{what}: shape");
    let [found, golden] = [found, &golden].map(|x| x.to_dtype(DType::F64).to_vec::<f64>());
    for (index, (a, b)) in found.iter().zip(&golden).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}: element {index}: {a} instead of {b}");
    }
}
