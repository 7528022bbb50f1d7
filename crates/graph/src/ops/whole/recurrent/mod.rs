//! Recurrent scans: one operation for all steps, forward and backward.
//!
//! The product of the inputs with their weights is computed outside, for all steps at once, and so is the
//! gradient of the recurrent weights. The biases are added by the scans; their gradients are sums
//! of those of the gates.
//!
//! Each scan, and each gradient, may have the lengths `i64[B]` of its sequences as last operand. A row has the steps
//! `t < lengths[b]`: in either direction its states begin and end there, and beyond them all results are zeros. Lengths
//! are taken as the nearest of `0..=T`.

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
use crate::conformance::Sample;
use crate::ops::contraction::DotGeneral;
use crate::{DType, Op, Scalar, Spec, Value};

/// The other operands, and the lengths, if they are last. They are the only operand that is not real.
fn split_lengths<V>(operands: &[V], spec: impl Fn(&V) -> &Spec) -> (&[V], Option<&V>) {
    match operands.split_last() {
        Some((last, others)) if !spec(last).dtype.is_float() => (others, Some(last)),
        _ => (operands, None),
    }
}

/// What is wrong where an operand is missing when what is not real has been taken as lengths.
const NOT_REAL: &str = "element types must be equal and floating-point, those of lengths i64; convert first";

/// Whether there is one length for each row.
fn lengths_fit(lengths: Option<&Spec>, batch: usize) -> Result<(), String> {
    match lengths {
        Some(lengths) if lengths.dtype != DType::I64 => Err(NOT_REAL.into()),
        Some(lengths) => has_shape("lengths", lengths, &[batch]),
        None => Ok(()),
    }
}

/// Whether the sequences `[B]` have a step `t + ahead`, for each `t`: `[T, B]`.
fn has_step(lengths: &Value, steps: usize, ahead: i64) -> Value {
    let shape = [steps, lengths.shape()[0]];
    let times = Value::iota(shape, DType::I64, 0).add(&Value::constant(Scalar::from_i64(DType::I64, ahead), shape));
    times.lt(&lengths.broadcast(shape, &[1]))
}

/// As [`Value::scan`], of carries and results whose leading axis is the batch: a row that does not have a step keeps its
/// carries, and its results are zeros.
fn scan_rows(
    init: &[Value],
    xs: &[Value],
    reverse: bool,
    lengths: Option<&Value>,
    body: impl FnOnce(&[Value], &[Value]) -> (Vec<Value>, Vec<Value>),
) -> (Vec<Value>, Vec<Value>) {
    let steps = xs[0].shape()[0];
    let Some(lengths) = lengths else { return Value::scan(init, xs, steps, reverse, body) };
    let xs = [xs, &[has_step(lengths, steps, 0)]].concat();
    Value::scan(init, &xs, steps, reverse, |carries, xs| {
        let (has_step, xs) = xs.split_last().expect("the last is whether rows have the step");
        let (next, ys) = body(carries, xs);
        let choose = |new: &Value, old: &Value| has_step.broadcast(new.shape(), &[0]).select(new, old);
        let next = next.iter().zip(carries).map(|(new, old)| choose(new, old)).collect();
        (next, ys.iter().map(|y| choose(y, &y.full_like(0.0))).collect())
    })
}

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

/// The gradient of a bias that is added in each step: `sum over t and the batch of d[t]`.
fn bias_gradient(d: &Value) -> Value {
    sum(d, &[0, 1])
}

/// The gradient of the recurrent weights, by which the states before each step are multiplied.
fn recurrent_gradient(d: &Value, states: &Value, initial: &Value, reverse: bool, lengths: Option<&Value>) -> Value {
    let steps = states.shape()[0];
    if !is_zero(initial) || lengths.is_some() || steps < 2 {
        return weight_gradient(d, &previous(states, initial, reverse, lengths));
    }
    // Of the step that begins with zeros comes nothing.
    let all_but_one = |x: &Value, first: usize| {
        let (mut start, mut limit) = (vec![0; 3], x.shape().to_vec());
        (start[0], limit[0]) = (first, first + steps - 1);
        x.slice(&start, &limit, &[1; 3])
    };
    let (with, before) = if reverse { (0, 1) } else { (1, 0) };
    weight_gradient(&all_but_one(d, with), &all_but_one(states, before))
}

fn is_zero(x: &Value) -> bool {
    matches!(x.op(), Op::Constant(constant) if constant.scalar.to_f64() == 0.0)
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

/// From states `[T, B, H]` those before each step that a row has, where `initial` is the state before the first.
fn previous(states: &Value, initial: &Value, reverse: bool, lengths: Option<&Value>) -> Value {
    let [steps, batch, size] = states.shape()[..] else { unreachable!("rank 3") };
    if steps == 0 {
        return states.clone();
    }
    let first = initial.reshape([1, batch, size]);
    let rest = |from: usize| states.slice(&[from, 0, 0], &[from + steps - 1, batch, size], &[1, 1, 1]);
    if !reverse {
        return Value::concatenate(&[&first, &rest(0)], 0);
    }
    let later = Value::concatenate(&[&rest(1), &first], 0);
    match lengths {
        None => later,
        Some(lengths) => {
            let has_later = has_step(lengths, steps, 1).broadcast(states.shape(), &[0, 1]);
            has_later.select(&later, &initial.broadcast(states.shape(), &[1, 2]))
        }
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

/// Lengths for a test, some of them 0, and some beyond the last step.
fn lengths_sample(steps: usize, batch: usize) -> Sample {
    Sample::integers([batch], steps as i64 + 2, DType::I64)
}
