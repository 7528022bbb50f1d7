//! Computing what has been recorded.

use gyrus_graph::Value;

use crate::Tensor;

/// Computes tensors together: what they share is computed once.
pub fn evaluate<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) {
    let values: Vec<Value> = tensors.into_iter().map(|tensor| tensor.value().clone()).collect();
    evaluate_values(&values);
}

pub(crate) fn evaluate_values(values: &[Value]) {
    gyrus_cpu::execute::evaluate(values);
}

/// How many threads compute.
pub fn num_threads() -> usize {
    gyrus_cpu::pool::Pool::global().num_threads()
}

/// Sets how many threads compute, from now on. Results do not depend on it.
pub fn set_num_threads(num_threads: usize) {
    gyrus_cpu::pool::Pool::global().set_num_threads(num_threads);
}
