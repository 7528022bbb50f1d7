//! Reverse mode as a transformation of graphs: the gradient of a value is another value.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::ops::Vjp;
use crate::ops::movement::join;
use crate::{Operation, Value};

/// The vector-Jacobian products of `outputs` with `cotangents`, with respect to each of `targets`:
/// `sum over i of cotangents[i]^T * d outputs[i] / d target`, of the target's shape. `None` for a
/// target on which no output depends through differentiable operations.
///
/// The result is made of ordinary recorded operations, so it can be differentiated again.
///
/// # Source
/// Griewank and Walther, Evaluating Derivatives (2008), chapter 3.2, without a tape.
///
/// ```
/// use gyrus_graph::{Value, gradients};
/// let x = Value::from_elements([2], &[1.0f32, 2.0]);
/// let y = x.mul(&x);
/// let dx = gradients(&[y.clone()], &[y.full_like(1.0)], &[x.clone()]);
/// assert_eq!(dx[0].as_ref().unwrap().shape(), x.shape());
/// ```
///
/// # Panics
/// If an operation on the way has no gradient.
#[track_caller]
pub fn gradients(outputs: &[Value], cotangents: &[Value], targets: &[Value]) -> Vec<Option<Value>> {
    assert_eq!(outputs.len(), cotangents.len(), "gradients: one cotangent for each output");
    propagate(dependents(outputs, targets, false), outputs, cotangents, targets)
}

/// As [`gradients`], but of the outputs as functions of independent targets: what a target depends on
/// itself does not count.
#[track_caller]
pub(crate) fn partial_gradients(outputs: &[Value], cotangents: &[Value], targets: &[Value]) -> Vec<Option<Value>> {
    propagate(dependents(outputs, targets, true), outputs, cotangents, targets)
}

/// Goes backwards through `order`.
fn propagate(order: Vec<Value>, outputs: &[Value], cotangents: &[Value], targets: &[Value]) -> Vec<Option<Value>> {
    let mut sums = Sums::default();
    for (output, cotangent) in outputs.iter().zip(cotangents) {
        assert_eq!(output.spec(), cotangent.spec(), "gradients: a cotangent has its output's shape and type");
        sums.add(output, cotangent.clone());
    }
    let is_target: HashSet<_> = targets.iter().map(key).collect();
    let on_path: HashSet<u64> = order.iter().map(|value| value.node_id()).collect();
    let needed = |value: &Value| {
        (on_path.contains(&value.node_id()) || is_target.contains(&key(value))) && value.dtype().is_float()
    };
    for value in order.iter().rev() {
        let siblings = value.siblings();
        let received: Vec<Option<Value>> = siblings.iter().map(|sibling| sums.get(sibling)).collect();
        if received.iter().all(Option::is_none) || value.inputs().is_empty() {
            continue;
        }
        let needs: Vec<bool> = value.inputs().iter().map(needed).collect();
        let context = Vjp { inputs: value.inputs(), outputs: &siblings, cotangents: &received, needs: &needs };
        let products = value.op().vjp(&context);
        assert_eq!(products.len(), value.inputs().len(), "{}: one product for each input", value.op().name());
        for ((input, product), need) in value.inputs().iter().zip(products).zip(needs) {
            if let (Some(product), true) = (product, need) {
                assert_eq!(product.spec(), input.spec(), "{}: gradient of another shape", value.op().name());
                sums.add(input, product);
            }
        }
    }
    targets.iter().map(|target| sums.get(target)).collect()
}

fn key(value: &Value) -> (u64, usize) {
    (value.node_id(), value.output_index())
}

/// One value of each node that lies on a path from a target to an output, in topological order; where
/// paths `stop` at targets, none that lies before one.
fn dependents(outputs: &[Value], targets: &[Value], stop: bool) -> Vec<Value> {
    let targets: HashSet<_> = targets.iter().map(key).collect();
    let mut reachable: HashMap<u64, Value> = HashMap::new();
    let mut pending: Vec<Value> = outputs.to_vec();
    while let Some(value) = pending.pop() {
        if stop && targets.contains(&key(&value)) {
            continue;
        }
        if let Entry::Vacant(entry) = reachable.entry(value.node_id()) {
            pending.extend(value.inputs().iter().cloned());
            entry.insert(value);
        }
    }
    let mut order: Vec<Value> = reachable.into_values().collect();
    order.sort_unstable_by_key(Value::node_id);
    let mut depends: HashSet<u64> = HashSet::new();
    order.retain(|value| {
        let reads = |input: &Value| targets.contains(&key(input)) || depends.contains(&input.node_id());
        let keep = value.inputs().iter().any(reads);
        if keep {
            depends.insert(value.node_id());
        }
        keep
    });
    order
}

/// The cotangents received so far.
#[derive(Default)]
struct Sums(HashMap<(u64, usize), Value>);

impl Sums {
    fn get(&self, value: &Value) -> Option<Value> {
        self.0.get(&key(value)).cloned()
    }

    fn add(&mut self, value: &Value, term: Value) {
        let sum = match self.0.remove(&key(value)) {
            Some(sum) => join(&sum, &term).unwrap_or_else(|| sum.add(&term)),
            None => term,
        };
        self.0.insert(key(value), sum);
    }
}
