//! Operations that compose primitives, but stay whole in forward and backward, where speed is decided.
//!
//! A gradient is another whole operation; that one is differentiated through its decomposition.

pub mod attention;
pub mod attention_grad;
pub mod batch_norm_grad;
pub mod batch_norm_training;
pub mod cross_entropy;
pub mod cross_entropy_grad;
pub mod cumsum;
pub mod layer_norm;
pub mod layer_norm_grad;
pub mod log_sum_exp;
pub mod recurrent;
pub mod rms_norm;
pub mod rms_norm_grad;
pub mod softmax;
pub mod softmax_grad;

pub use attention::Attention;
pub use attention_grad::AttentionGrad;
pub use batch_norm_grad::BatchNormGrad;
pub use batch_norm_training::BatchNormTraining;
pub use cross_entropy::CrossEntropy;
pub use cross_entropy_grad::CrossEntropyGrad;
pub use cumsum::Cumsum;
pub use layer_norm::LayerNorm;
pub use layer_norm_grad::LayerNormGrad;
pub use log_sum_exp::LogSumExp;
pub use rms_norm::RmsNorm;
pub use rms_norm_grad::RmsNormGrad;
pub use softmax::Softmax;
pub use softmax_grad::SoftmaxGrad;

use super::reduction::Reduction;
use super::{Operation, Vjp, vjp_by_decomposition};
use crate::{DType, Shape, Spec, Value};

/// Whether all are of one floating-point type.
fn same_float(inputs: &[Spec]) -> Result<DType, String> {
    let dtype = inputs[0].dtype;
    if !dtype.is_float() || inputs.iter().any(|input| input.dtype != dtype) {
        return Err("element types must be equal and floating-point; convert first".into());
    }
    Ok(dtype)
}

/// Whether the operand called `name` has this shape.
fn has_shape(name: &str, spec: &Spec, shape: &[usize]) -> Result<(), String> {
    if spec.shape[..] != *shape {
        return Err(format!("{name} {} must have shape {shape:?}", spec.shape));
    }
    Ok(())
}

/// The shape without `axis`, if the operand is real and has that axis.
fn reduced_shape(operand: &Spec, axis: usize) -> Result<Shape, String> {
    same_float(std::slice::from_ref(operand))?;
    if axis >= operand.shape.rank() {
        return Err(format!("axis {axis} must be less than the rank, {}", operand.shape.rank()));
    }
    Ok(operand.shape.without(&[axis]))
}

fn scaled(x: &Value, factor: f64) -> Value {
    x.mul(&x.full_like(factor))
}

fn sum(x: &Value, axes: &[usize]) -> Value {
    x.reduce(Reduction::Sum, axes)
}

fn mean(x: &Value, axes: &[usize]) -> Value {
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    scaled(&sum(x, axes), 1.0 / count as f64)
}

/// Adds a term of a gradient to those that are there.
fn plus(a: Option<Value>, b: Value) -> Option<Value> {
    Some(a.map_or(b.clone(), |a| a.add(&b)))
}
