//! Turning closures over values into graphs.

use std::collections::{HashMap, HashSet};

use crate::{Graph, Op, Spec, Value};

/// A graph traced from a closure, and the values from outside that it reads.
pub(super) struct Traced {
    /// The graph: first the closure's arguments, then one input for each of `outer`.
    pub graph: Graph,
    /// What the closure read of its surroundings.
    pub outer: Vec<Value>,
}

/// Placeholders for arguments of these specifications.
pub(super) fn placeholders<'a>(specs: impl IntoIterator<Item = &'a Spec>) -> Vec<Value> {
    specs.into_iter().map(|spec| Value::placeholder(spec.clone())).collect()
}

/// The graph of `outputs` as a function of `arguments`, fresh placeholders; what was recorded before
/// them becomes a further input, whether it is computed or not.
pub(super) fn close(arguments: &[Value], outputs: &[Value]) -> Traced {
    let begin = arguments.iter().map(Value::node_id).min().unwrap_or(u64::MAX);
    let mut outer = HashMap::new();
    let mut seen = HashSet::new();
    let mut pending: Vec<&Value> = outputs.iter().collect();
    while let Some(value) = pending.pop() {
        if !seen.insert((value.node_id(), value.output_index())) {
            continue;
        }
        let is_free = matches!(value.op(), Op::Constant(_) | Op::Iota(_)) && !value.is_computed();
        if value.node_id() < begin && !is_free {
            outer.insert((value.node_id(), value.output_index()), value.clone());
        } else if !value.is_computed() {
            pending.extend(value.inputs());
        }
    }
    let mut outer: Vec<((u64, usize), Value)> = outer.into_iter().collect();
    outer.sort_unstable_by_key(|(key, _)| *key);
    let mut outer: Vec<Value> = outer.into_iter().map(|(_, value)| value).collect();
    let captured = Graph::capture(&[arguments, &outer].concat(), outputs);
    outer.extend(captured.constants);
    Traced { graph: captured.graph, outer }
}

/// The same graph with the inputs in other places: input `i` becomes input `places[i]` of `specs`.
pub(super) fn with_inputs(graph: &Graph, places: &[usize], specs: &[Spec]) -> Graph {
    let arguments = placeholders(specs);
    let inputs: Vec<Value> = places.iter().map(|&place| arguments[place].clone()).collect();
    let outputs = graph.inline(&inputs);
    Graph::capture(&arguments, &outputs).graph
}
