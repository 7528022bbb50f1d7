//! How types and attributes are written.

use std::fmt::Display;

use gyrus_graph::{DType, Scalar, Spec};

/// The type of a tensor: `tensor<2x3xf32>`.
pub(super) fn tensor_type(spec: &Spec) -> String {
    let sizes: String = spec.shape.iter().map(|size| format!("{size}x")).collect();
    format!("tensor<{sizes}{}>", element_type(spec.dtype))
}

fn element_type(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "i1",
        DType::U8 => "ui8",
        other => other.name(),
    }
}

/// One element repeated over a shape. Reals are written by their bits: no digit is lost, and NaN has a word.
pub(super) fn splat(scalar: Scalar, spec: &Spec) -> String {
    let element = match scalar.dtype() {
        _ if spec.shape.num_elements() == 0 => String::new(),
        DType::Bool => (scalar.bits() != 0).to_string(),
        DType::U8 => scalar.get::<u8>().to_string(),
        DType::I32 => scalar.get::<i32>().to_string(),
        DType::I64 => scalar.get::<i64>().to_string(),
        real => format!("0x{:0digits$X}", scalar.bits(), digits = 2 * real.size()),
    };
    format!("dense<{element}> : {}", tensor_type(spec))
}

/// Joined by commas.
pub(super) fn listed(items: impl IntoIterator<Item = impl Display>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    words.join(", ")
}

/// Numbers as an attribute of their own: `array<i64: 1, 2>`.
pub(super) fn array(numbers: impl IntoIterator<Item = impl Display>) -> String {
    match listed(numbers) {
        none if none.is_empty() => "array<i64>".into(),
        numbers => format!("array<i64: {numbers}>"),
    }
}

/// Numbers within another attribute: `[1, 2]`.
pub(super) fn list(numbers: &[usize]) -> String {
    format!("[{}]", listed(numbers))
}

/// Pairs of numbers, such as a padding: `dense<[[1, 1], [0, 2]]> : tensor<2x2xi64>`.
pub(super) fn pairs(pairs: &[(i64, i64)]) -> String {
    let rows = pairs.iter().map(|(low, high)| format!("[{low}, {high}]"));
    let rows = if pairs.is_empty() { String::new() } else { format!("[{}]", listed(rows)) };
    format!("dense<{rows}> : tensor<{}x2xi64>", pairs.len())
}
