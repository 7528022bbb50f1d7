//! Recurrent scans: one operation for all steps, forward and backward.
//!
//! The product of the inputs with their weights is computed outside, for all steps at once, and so is the
//! gradient of the recurrent weights. The biases are added by the scans, whose gradients sum theirs on the way.

pub mod gru_scan;
pub mod gru_scan_grad;
pub mod lstm_scan;
pub mod lstm_scan_grad;
pub mod rnn_scan;
pub mod rnn_scan_grad;

pub use gru_scan::GruScan;
pub use gru_scan_grad::GruScanGrad;
pub use lstm_scan::LstmScan;
pub use lstm_scan_grad::LstmScanGrad;
pub use rnn_scan::{RnnActivation, RnnScan};
pub use rnn_scan_grad::RnnScanGrad;

use super::{Operation, Vjp, has_shape, same_float, sum, vjp_by_decomposition};
use crate::ops::contraction::DotGeneral;
use crate::{Spec, Value};

/// The sizes `T`, `B` and `H` of gates of shape `[T, B, count H]`.
fn sizes(gates: &Spec, count: usize) -> Result<[usize; 3], String> {
    match gates.shape[..] {
        [steps, batch, width] if width % count == 0 => Ok([steps, batch, width / count]),
        _ => Err(format!("gates {} must have shape [T, B, {count} H]", gates.shape)),
    }
}

/// `h W^T`.
fn by_transposed(h: &Value, w: &Value) -> Value {
    h.dot_general(w, DotGeneral { lhs_contract: vec![1], rhs_contract: vec![1], ..Default::default() })
}

/// `d W`.
fn by_matrix(d: &Value, w: &Value) -> Value {
    d.dot_general(w, DotGeneral { lhs_contract: vec![1], rhs_contract: vec![0], ..Default::default() })
}

/// `x [B, size]` with a bias `[size]` added to each row.
fn plus_bias(x: &Value, bias: &Value) -> Value {
    x.add(&bias.broadcast(x.shape(), &[1]))
}

/// The gradient of `W` in `h W^T` over all steps: `sum over t of d[t]^T h[t]`.
fn weight_gradient(d: &Value, h: &Value) -> Value {
    d.dot_general(h, DotGeneral { lhs_contract: vec![0, 1], rhs_contract: vec![0, 1], ..Default::default() })
}

/// The parts of the last axis, each of `size`.
fn parts(x: &Value, size: usize) -> Vec<Value> {
    let last = x.rank() - 1;
    let part = |index: usize| part(x, index * size, (index + 1) * size);
    (0..x.shape()[last].checked_div(size).unwrap_or(0)).map(part).collect()
}

/// Elements `start..limit` along the last axis.
fn part(x: &Value, start: usize, limit: usize) -> Value {
    let (mut starts, mut limits) = (vec![0; x.rank()], x.shape().to_vec());
    starts[x.rank() - 1] = start;
    limits[x.rank() - 1] = limit;
    x.slice(&starts, &limits, &vec![1; x.rank()])
}

/// From states `[T, B, H]` those before each step, where `initial` is the state before the first.
fn previous(states: &Value, initial: &Value, reverse: bool) -> Value {
    let [steps, batch, size] = states.shape()[..] else { unreachable!("rank 3") };
    if steps == 0 {
        return states.clone();
    }
    let first = initial.reshape([1, batch, size]);
    let rest = |from: usize| states.slice(&[from, 0, 0], &[from + steps - 1, batch, size], &[1, 1, 1]);
    match reverse {
        false => Value::concatenate(&[&first, &rest(0)], 0),
        true => Value::concatenate(&[&rest(1), &first], 0),
    }
}

/// `x (1 - x)`, the derivative of the logistic function by its result.
fn logistic_slope(y: &Value) -> Value {
    y.mul(&y.full_like(1.0).sub(y))
}

/// `1 - x^2`, the derivative of the hyperbolic tangent by its result.
fn tanh_slope(y: &Value) -> Value {
    y.full_like(1.0).sub(&y.mul(y))
}
