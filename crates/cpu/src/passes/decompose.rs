//! Replaces whole operations for which there is no kernel by their decomposition.

use gyrus_graph::{Graph, GraphNode, Operation, Port, Value};

use super::{Builder, outputs_of, rebuild};

/// Replaces each operation for which `is_supported` says no by its decomposition, again and again.
///
/// # Panics
/// If an operation is neither supported nor has a decomposition.
pub(crate) fn decompose(graph: &Graph, is_supported: &dyn Fn(&Graph, &GraphNode) -> bool) -> Graph {
    if graph.nodes.iter().all(|node| is_supported(graph, node)) {
        return graph.clone();
    }
    let expanded = rebuild(graph, |builder, node, inputs| {
        if is_supported(graph, node) {
            let port = builder.add(node.op.clone(), inputs);
            return outputs_of(port, node);
        }
        let operands: Vec<Value> = inputs.iter().map(|&port| Value::placeholder(builder.spec(port).clone())).collect();
        let outputs = node.op.decompose(&operands).unwrap_or_else(|| {
            let specs: Vec<String> = operands.iter().map(|value| value.spec().to_string()).collect();
            panic!("{}: no kernel for {} on the CPU; convert the operands first", node.op.name(), specs.join(" and "))
        });
        inline(builder, &Graph::capture(&operands, &outputs).graph, inputs)
    });
    decompose(&expanded, is_supported)
}

/// Adds a graph's operations, applied to `inputs`, and returns its outputs.
fn inline(builder: &mut Builder, graph: &Graph, inputs: &[Port]) -> Vec<Port> {
    let mut ports: Vec<Vec<Port>> = vec![vec![]; graph.nodes.len()];
    for (&node, &port) in graph.inputs.iter().zip(inputs) {
        ports[node] = vec![port];
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        if ports[index].is_empty() {
            let inputs: Vec<Port> = node.inputs.iter().map(|port| ports[port.node][port.output]).collect();
            let port = builder.add(node.op.clone(), &inputs);
            ports[index] = outputs_of(port, node);
        }
    }
    graph.outputs.iter().map(|port| ports[port.node][port.output]).collect()
}
