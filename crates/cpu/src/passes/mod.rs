//! Transformations of graphs before they are planned. Each gives a graph of the same meaning.

mod decompose;
mod simplify;
mod sparse_update;

pub(crate) use decompose::decompose;
pub(crate) use simplify::simplify;
pub(crate) use sparse_update::sparse_updates;

use std::collections::HashMap;

use gyrus_graph::{Graph, GraphNode, Op, Operation, Port, Scalar, Shape, Spec};

/// A graph being rewritten. Equal operations on equal operands become one.
#[derive(Default)]
pub(crate) struct Builder {
    nodes: Vec<GraphNode>,
    known: HashMap<(Op, Vec<Port>), usize>,
    inputs: Vec<usize>,
}

impl Builder {
    pub(crate) fn input(&mut self, spec: &Spec) -> Port {
        let op = Op::Leaf(gyrus_graph::ops::source::Leaf { spec: spec.clone() });
        self.nodes.push(GraphNode { op, inputs: vec![], outputs: vec![spec.clone()] });
        self.inputs.push(self.nodes.len() - 1);
        Port { node: self.nodes.len() - 1, output: 0 }
    }

    /// Adds an operation, or finds the same one added before; its first output.
    pub(crate) fn add(&mut self, op: impl Into<Op>, inputs: &[Port]) -> Port {
        let key = (op.into(), inputs.to_vec());
        let node = *self.known.entry(key).or_insert_with_key(|(op, inputs)| {
            let specs: Vec<Spec> =
                inputs.iter().map(|port| self.nodes[port.node].outputs[port.output].clone()).collect();
            let outputs = op.infer(&specs).expect("a rewrite keeps to the shape rules");
            self.nodes.push(GraphNode { op: op.clone(), inputs: inputs.clone(), outputs });
            self.nodes.len() - 1
        });
        Port { node, output: 0 }
    }

    pub(crate) fn constant(&mut self, scalar: Scalar, shape: &Shape) -> Port {
        self.add(gyrus_graph::ops::source::Constant { scalar, shape: shape.clone() }, &[])
    }

    pub(crate) fn op(&self, port: Port) -> &Op {
        &self.nodes[port.node].op
    }

    pub(crate) fn inputs_of(&self, port: Port) -> &[Port] {
        &self.nodes[port.node].inputs
    }

    pub(crate) fn spec(&self, port: Port) -> &Spec {
        &self.nodes[port.node].outputs[port.output]
    }

    /// The graph with these outputs, without what they do not depend on; inputs stay.
    pub(crate) fn finish(self, outputs: &[Port]) -> Graph {
        let mut live = vec![false; self.nodes.len()];
        self.inputs.iter().for_each(|&input| live[input] = true);
        outputs.iter().for_each(|port| live[port.node] = true);
        for node in (0..self.nodes.len()).rev() {
            if live[node] {
                self.nodes[node].inputs.iter().for_each(|port| live[port.node] = true);
            }
        }
        let mut renumbered = vec![usize::MAX; self.nodes.len()];
        let mut nodes = vec![];
        for (index, mut node) in self.nodes.into_iter().enumerate() {
            if live[index] {
                node.inputs.iter_mut().for_each(|port| port.node = renumbered[port.node]);
                renumbered[index] = nodes.len();
                nodes.push(node);
            }
        }
        Graph {
            nodes,
            inputs: self.inputs.iter().map(|&input| renumbered[input]).collect(),
            outputs: outputs.iter().map(|port| Port { node: renumbered[port.node], ..*port }).collect(),
        }
    }
}

/// Rebuilds `graph` node by node: `rewrite` adds each operation, with operands that are already
/// rewritten, and returns its outputs.
pub(crate) fn rebuild(graph: &Graph, mut rewrite: impl FnMut(&mut Builder, &GraphNode, &[Port]) -> Vec<Port>) -> Graph {
    let mut builder = Builder::default();
    let mut ports: Vec<Vec<Port>> = vec![vec![]; graph.nodes.len()];
    for &input in &graph.inputs {
        ports[input] = vec![builder.input(&graph.nodes[input].outputs[0])];
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        if !ports[index].is_empty() {
            continue;
        }
        let inputs: Vec<Port> = node.inputs.iter().map(|port| ports[port.node][port.output]).collect();
        ports[index] = rewrite(&mut builder, node, &inputs);
    }
    let outputs: Vec<Port> = graph.outputs.iter().map(|port| ports[port.node][port.output]).collect();
    builder.finish(&outputs)
}

/// All outputs of the node of `port`.
pub(crate) fn outputs_of(port: Port, node: &GraphNode) -> Vec<Port> {
    (0..node.outputs.len()).map(|output| Port { output, ..port }).collect()
}
