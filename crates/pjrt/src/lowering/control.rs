//! Loops.

use gyrus_graph::ops::control::{Scan, WhileLoop};
use gyrus_graph::ops::elementwise::Direction;
use gyrus_graph::{DType, Scalar, Spec};

use super::LoweringError;
use super::indexing::{dynamic_slice, dynamic_update_slice};
use super::writer::{Tensor, Writer};

/// The type in which steps are counted.
const COUNTER: DType = DType::I32;

fn specs(tensors: &[Tensor]) -> Vec<Spec> {
    tensors.iter().map(|tensor| tensor.spec.clone()).collect()
}

/// StableHLO's `while` on all operands: it has no constants, so these go round with the carries.
pub(super) fn while_loop(w: &mut Writer, op: &WhileLoop, x: &[Tensor]) -> Result<Vec<Tensor>, LoweringError> {
    let specs = specs(x);
    let condition = w.region(&specs, |w, x| w.graph(&op.condition, x))?;
    let body = w.region(&specs, |w, x| {
        let carries = w.graph(&op.body, x)?;
        Ok(carries.into_iter().chain(x[op.num_carries..].iter().cloned()).collect())
    })?;
    let operands: Vec<&Tensor> = x.iter().collect();
    let mut results = w.operation("stablehlo.while", &operands, &[condition, body], "", &specs);
    results.truncate(op.num_carries);
    Ok(results)
}

/// A `while` on a counter, the operands and the `ys`, into which each step writes its slice.
pub(super) fn scan(w: &mut Writer, op: &Scan, x: &[Tensor], results: &[Spec]) -> Result<Vec<Tensor>, LoweringError> {
    let (num_carries, num_sliced) = (op.num_carries, op.num_carries + op.num_xs);
    let mut state = vec![w.constant(Scalar::from_i64(COUNTER, 0), [])];
    state.extend_from_slice(x);
    for y in &results[num_carries..] {
        state.push(w.constant(Scalar::from_f64(y.dtype, 0.0), &y.shape));
    }
    if op.length == 0 {
        let is_constant = |place: &usize| (1 + num_carries..1 + x.len()).contains(place);
        let kept = (1..state.len()).filter(|place| !is_constant(place));
        return Ok(kept.map(|place| state[place].clone()).collect());
    }
    let specs = specs(&state);
    let condition = w.region(&specs, |w, state| {
        let length = w.constant(Scalar::from_i64(COUNTER, op.length as i64), []);
        Ok(vec![w.compare(Direction::Lt, &state[0], &length)])
    })?;
    let body = w.region(&specs, |w, state| {
        let (counter, state) = state.split_first().expect("a counter");
        let (x, ys) = state.split_at(x.len());
        let step = match op.reverse {
            false => counter.clone(),
            true => {
                let last = w.constant(Scalar::from_i64(COUNTER, op.length as i64 - 1), []);
                w.map("subtract", &[&last, counter])
            }
        };
        let mut inputs = x.to_vec();
        for sliced in &mut inputs[num_carries..num_sliced] {
            let sizes = [&[1], &sliced.shape()[1..]].concat();
            let starts = starts(w, &step, sliced.rank());
            let slice = dynamic_slice(w, sliced, &starts, &sizes);
            *sliced = w.reshape(&slice, &sizes[1..]);
        }
        let mut made = w.graph(&op.body, &inputs)?;
        let slices = made.split_off(num_carries);
        let one = w.constant(Scalar::from_i64(COUNTER, 1), []);
        let mut next = vec![w.map("add", &[counter, &one])];
        next.extend(made);
        next.extend_from_slice(&x[num_carries..]);
        for (y, slice) in ys.iter().zip(slices) {
            let slice = w.reshape(&slice, &[&[1], slice.shape()].concat());
            let starts = starts(w, &step, y.rank());
            next.push(dynamic_update_slice(w, y, &slice, &starts));
        }
        Ok(next)
    })?;
    let operands: Vec<&Tensor> = state.iter().collect();
    let mut last = w.operation("stablehlo.while", &operands, &[condition, body], "", &specs);
    let ys = last.split_off(1 + x.len());
    last.truncate(1 + num_carries);
    Ok(last.into_iter().skip(1).chain(ys).collect())
}

/// Where the slice of a step begins.
fn starts(w: &mut Writer, step: &Tensor, rank: usize) -> Vec<Tensor> {
    let zero = w.constant(Scalar::from_i64(COUNTER, 0), []);
    [step.clone()].into_iter().chain((1..rank).map(|_| zero.clone())).collect()
}
