use gyrus_nn::layers::Embedding;
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor, grad};
use serde_json::Value as Json;

use crate::arrays::{assert_close, cases, tensor};

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let options = &case["options"];
    let number = |name: &str| options[name].as_u64().map(|number| number as usize);
    let sizes = (number("num_embeddings").unwrap(), number("embedding_dim").unwrap());
    let mut layer = Embedding::new(sizes.0, sizes.1, &mut Rng::new(0));
    if let Some(padding_idx) = number("padding_idx") {
        layer = layer.padding_idx(padding_idx);
    }
    assert_eq!(layer.named_parameters()[0].0, "weight");
    layer.weight = tensor(&case["state"]["weight"], dtype);
    let output = layer.forward(&tensor(&case["input"], dtype), &mut Context::evaluate());
    let what = |part: &str| format!("embedding {options} {dtype}: {part}");
    assert_close(&what("output"), &output, &case["output"], tolerance);
    let projection = (output * tensor(&case["cotangent"], dtype)).sum(..);
    let gradient = &grad(&projection, &[&layer.weight])[0];
    assert_close(&what("gradient"), gradient, &case["gradients"]["weight"], tolerance);
}

#[test]
fn embeddings_are_those_of_pytorch() {
    for case in cases(include_str!("../golden/embedding.json")) {
        check(&case, DType::F64, 1e-12);
        check(&case, DType::F32, 1e-5);
    }
}

#[test]
#[should_panic(expected = "embedding: input f32[2]: must be indices, integers below num_embeddings (5)")]
fn numbers_are_no_indices() {
    Embedding::new(5, 2, &mut Rng::new(0)).forward(&Tensor::zeros([2], DType::F32), &mut Context::evaluate());
}

#[test]
#[should_panic(expected = "embedding: padding_idx 5: must be less than num_embeddings (5)")]
fn padding_is_a_row() {
    let _ = Embedding::new(5, 2, &mut Rng::new(0)).padding_idx(5);
}

#[test]
fn initial_vectors_are_standard_normal() {
    let weight = Embedding::new(200, 100, &mut Rng::new(0)).weight;
    assert!(weight.mean(..).item().abs() < 0.03);
    assert!((weight.standard_deviation(.., 0).item() - 1.0).abs() < 0.03);
}
