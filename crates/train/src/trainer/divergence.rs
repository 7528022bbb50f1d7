//! Where a loss that is no number comes from.

use std::collections::HashMap;

use gyrus_graph::{Op, Operation, Value};
use gyrus_tensor::{Module, Tensor};

/// Names the first tensor, in the order of computation, that has an element that is not finite: a parameter,
/// something of the batch, or the result of an operation on the way to `loss`.
pub(super) fn first_bad_tensor(loss: &Tensor, model: &impl Module, batch: &impl Module) -> String {
    let parameters = model.named_tensors();
    if let Some((name, _, tensor)) = parameters.iter().find(|(_, _, tensor)| !is_finite(tensor)) {
        return format!("`{name}` of the model, {}", tensor.spec());
    }
    if let Some((name, _, tensor)) = batch.named_tensors().iter().find(|(_, _, tensor)| !is_finite(tensor)) {
        return format!("tensor {name} of the batch, {}", tensor.spec());
    }
    let names: HashMap<u64, &str> =
        parameters.iter().map(|(name, _, tensor)| (tensor.value().node_id(), name.as_str())).collect();
    let results = in_order_of_computation(loss.value());
    let bad = results.iter().find(|value| !is_finite(&Tensor::from((*value).clone())));
    bad.map_or_else(|| "the loss itself".to_owned(), |value| describe(value, &names))
}

fn is_finite(tensor: &Tensor) -> bool {
    !tensor.dtype().is_float() || tensor.is_finite().all(..).item() != 0.0
}

/// Everything that is computed for a value, itself included.
fn in_order_of_computation(end: &Value) -> Vec<Value> {
    let mut found: HashMap<u64, Value> = HashMap::new();
    let mut pending = vec![end.clone()];
    while let Some(value) = pending.pop() {
        if !matches!(value.op(), Op::Leaf(_)) && !found.contains_key(&value.node_id()) {
            pending.extend(value.inputs().iter().cloned());
            found.insert(value.node_id(), value);
        }
    }
    let mut results: Vec<Value> = found.into_values().collect();
    results.sort_unstable_by_key(Value::node_id);
    results
}

/// An operation is known by what it computes with: the nearest tensors of the model that flow into it.
fn describe(value: &Value, names: &HashMap<u64, &str>) -> String {
    let mut level = vec![value.clone()];
    while !level.is_empty() {
        level = level.iter().flat_map(|value| value.inputs()).cloned().collect();
        let near: Vec<&str> = level.iter().filter_map(|value| names.get(&value.node_id()).copied()).collect();
        if !near.is_empty() {
            return format!("the result of {}, {}, near `{}`", value.op().name(), value.spec(), near.join("`, `"));
        }
        level.sort_unstable_by_key(Value::node_id);
        level.dedup_by_key(|value| value.node_id());
    }
    format!("the result of {}, {}", value.op().name(), value.spec())
}
