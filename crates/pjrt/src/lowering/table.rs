//! Which operation is lowered where.

use gyrus_graph::{Op, Spec};

use super::writer::{Tensor, Writer};
use super::{
    LoweringError, collective, contraction, control, elementwise, indexing, movement, random, reduction, source, whole,
    window,
};
use crate::sharing::is_of_all_shares;

/// Writes an operation on `x` and returns its outputs, of the specifications `results`. What is not named here is a
/// function made of its decomposition.
pub(super) fn lower(w: &mut Writer, op: &Op, x: &[Tensor], results: &[Spec]) -> Result<Vec<Tensor>, LoweringError> {
    let Some(result) = results.first() else { return Ok(vec![]) };
    Ok(vec![match op {
        Op::Constant(op) => source::constant(w, op),
        Op::Iota(op) => source::iota(w, op),
        Op::Unary(function) => return elementwise::unary(w, op, *function, x, result),
        Op::Binary(function) => return elementwise::binary(w, op, *function, x),
        Op::Compare(op) => w.compare(op.direction, &x[0], &x[1]),
        Op::Select(_) => w.select(&x[0], &x[1], &x[2]),
        Op::Convert(op) => elementwise::convert(w, &x[0], op.dtype),
        Op::Reshape(_) => w.reshape(&x[0], &result.shape),
        Op::Transpose(op) => movement::transpose(w, &x[0], &op.permutation),
        Op::Broadcast(op) => movement::broadcast(w, op, &x[0], result),
        Op::Slice(op) => movement::slice(w, op, &x[0], result),
        Op::Pad(op) => movement::pad(w, &x[0], &x[1], &op.low, &op.high, &op.interior),
        Op::Concatenate(op) => movement::concatenate(w, op, x, result),
        Op::Reverse(op) => movement::reverse(w, &x[0], &op.axes),
        Op::Reduce(op) => reduction::reduce(w, op, &x[0], result)?,
        Op::ArgReduce(op) => reduction::arg_reduce(w, op, &x[0], result)?,
        Op::DotGeneral(op) => contraction::dot_general(w, op, &x[0], &x[1], result),
        Op::Convolution(op) => contraction::convolution(w, op, &x[0], &x[1], result),
        Op::ConvolutionInputGrad(op) => contraction::input_grad(w, op, &x[0], &x[1], result),
        Op::ConvolutionWeightGrad(op) => contraction::weight_grad(w, op, &x[0], &x[1], result),
        Op::ReduceWindow(op) => window::reduce_window(w, op, &x[0], result)?,
        Op::ReduceWindowSumGrad(op) => window::sum_grad(w, op, &x[0], result)?,
        Op::ReduceWindowSelectGrad(select) => return window::select_grad(w, op, select, x, result),
        Op::Gather(op) => indexing::gather(w, op, &x[0], &x[1], result),
        Op::Scatter(op) => indexing::scatter(w, op, x)?,
        Op::Sort(op) => return indexing::sort(w, op, &x[0], results),
        Op::DynamicSlice(_) => indexing::dynamic_slice(w, &x[0], &x[1..], &result.shape),
        Op::DynamicUpdateSlice(_) => indexing::dynamic_update_slice(w, &x[0], &x[1], &x[2..]),
        Op::RandomBits(bits) => return random::random_bits(w, op, bits, x),
        Op::WhileLoop(op) => return control::while_loop(w, op, x),
        Op::Scan(op) => return control::scan(w, op, x, results),
        Op::OptimizationBarrier(_) => w.map("optimization_barrier", &[&x[0]]),
        Op::AllReduce(_) => collective::all_reduce_mean(w, &x[0])?,
        op if is_of_all_shares(op) => return whole::of_all_replicas(w, op, x),
        _ => return whole::lower(w, op, x),
    }])
}
