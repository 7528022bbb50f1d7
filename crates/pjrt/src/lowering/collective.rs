//! Operations in which all replicas take part.

use gyrus_graph::ops::reduction::Reduction;

use super::LoweringError;
use super::attributes::listed;
use super::reduction::{accumulator, combiner};
use super::writer::{Tensor, Writer};

/// The sum over all replicas divided by their number; of one replica the operand itself.
pub(super) fn all_reduce_mean(w: &mut Writer, x: &Tensor) -> Result<Tensor, LoweringError> {
    if w.num_replicas == 1 {
        return Ok(x.clone());
    }
    let dtype = accumulator(Reduction::Sum, x.dtype());
    let wide = w.cast(x, dtype);
    let adder = combiner(w, Reduction::Sum, dtype)?;
    let count = w.num_replicas;
    let attributes = format!("replica_groups = dense<[[{}]]> : tensor<1x{count}xi64>", listed(0..count));
    let sum = w.op_of_region("all_reduce", &[&wide], &[adder], &attributes, &wide.spec);
    let divisor = w.full_like(&sum, count as f64);
    let mean = w.map("divide", &[&sum, &divisor]);
    Ok(w.cast(&mean, x.dtype()))
}
