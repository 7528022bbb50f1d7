//! Computing what has been recorded.

use gyrus_graph::{Device, Value, held};
use gyrus_pjrt::or_panic;

use crate::Tensor;

/// Computes tensors together: what they share is computed once. As whenever tensors are read, what they are made of is
/// remembered, too, if the program still holds it: the parameters of a model, say, or a batch of predictions beside their loss.
pub fn evaluate<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) {
    evaluate_values(&values(tensors));
}

/// As [`evaluate`], but for tensors that depend on arguments of a function that is being compiled: then nothing is computed.
/// Returns whether they do not. Tensors that are `temporary` are not remembered.
///
/// ```
/// use gyrus_tensor::{Tensor, compile, try_evaluate};
///
/// let x = Tensor::from_slice([2], &[1.0f32, 2.0]);
/// assert!(try_evaluate([&x.exp()], []));
/// let mut function = compile(|(): &mut (), x: Tensor| {
///     assert!(!try_evaluate([&x.exp()], []));
///     x.exp()
/// });
/// function.call(&mut (), x);
/// ```
pub fn try_evaluate<'a>(
    tensors: impl IntoIterator<Item = &'a Tensor>,
    temporary: impl IntoIterator<Item = &'a Tensor>,
) -> bool {
    let wanted = values(tensors);
    let can = Value::are_computable(&wanted);
    if can {
        evaluate_with_held(&wanted, &values(temporary));
    }
    can
}

fn values<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<Value> {
    tensors.into_iter().map(|tensor| tensor.value().clone()).collect()
}

pub(crate) fn evaluate_values(values: &[Value]) {
    evaluate_with_held(values, &[]);
}

fn evaluate_with_held(values: &[Value], temporary: &[Value]) {
    if values.iter().all(Value::is_computed) {
        return;
    }
    let held = held(values, temporary);
    let values = &[values, &held].concat()[..];
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
