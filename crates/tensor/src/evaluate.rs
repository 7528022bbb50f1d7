//! Computing what has been recorded.

use gyrus_graph::{Device, Value};
use gyrus_pjrt::or_panic;

use crate::Tensor;

/// Computes tensors together: what they share is computed once.
pub fn evaluate<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) {
    let values: Vec<Value> = tensors.into_iter().map(|tensor| tensor.value().clone()).collect();
    evaluate_values(&values);
}

pub(crate) fn evaluate_values(values: &[Value]) {
    match values.iter().all(|value| value.device() == Device::Cpu) {
        true => gyrus_cpu::execute::evaluate(values),
        false => evaluate_apart(values),
    }
}

/// Each where it is.
///
/// # Panics
/// If an accelerator fails.
fn evaluate_apart(values: &[Value]) {
    let mut pending = values.to_vec();
    while let Some(device) = pending.last().map(Value::device) {
        let (here, others): (Vec<Value>, _) = pending.into_iter().partition(|value| value.device() == device);
        pending = others;
        match device {
            Device::Accelerator(accelerator) => {
                or_panic(gyrus_pjrt::evaluate(accelerator, &here));
            }
            _ => gyrus_cpu::execute::evaluate(&here),
        }
    }
}

/// How many threads compute.
pub fn num_threads() -> usize {
    gyrus_cpu::pool::Pool::global().num_threads()
}

/// Sets how many threads compute, from now on. Results do not depend on it.
pub fn set_num_threads(num_threads: usize) {
    gyrus_cpu::pool::Pool::global().set_num_threads(num_threads);
}
