//! A closed, numbered copy of a piece of the graph.

use std::collections::HashMap;
use std::fmt;

use crate::{Buffer, Op, Operation, Spec, Value};

/// One output of one node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// The node's number.
    pub node: usize,
    /// Which of its outputs.
    pub output: usize,
}

/// One operation of a [`Graph`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GraphNode {
    /// What it does.
    pub op: Op,
    /// What it reads: outputs of earlier nodes.
    pub inputs: Vec<Port>,
    /// What it makes.
    pub outputs: Vec<Spec>,
}

/// Operations in an order in which they can run, with designated inputs and outputs. Two graphs of
/// the same structure, shapes and element types are equal and hash alike, so that a device can keep
/// its plan for one and use it for the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Graph {
    /// The operations; each reads only earlier ones. Inputs are nodes with [`Op::Leaf`].
    pub nodes: Vec<GraphNode>,
    /// The nodes that are the graph's inputs, in order.
    pub inputs: Vec<usize>,
    /// What the graph returns, in order.
    pub outputs: Vec<Port>,
}

/// A graph, and the known values it reads beyond the inputs that were asked for.
pub struct Captured {
    /// The graph: the inputs asked for come first, then one for each of `constants`.
    pub graph: Graph,
    /// The known values that the remaining inputs stand for.
    pub constants: Vec<Value>,
}

impl Graph {
    /// Copies what `outputs` depend on. `inputs` become the graph's inputs, also where they are not
    /// leaves; whatever else is already computed is read as a constant.
    ///
    /// # Panics
    /// If an output depends on a placeholder that is not among `inputs`.
    pub fn capture(inputs: &[Value], outputs: &[Value]) -> Captured {
        Capture::default().run(inputs, outputs)
    }

    /// The specification of an output of a node.
    pub fn spec(&self, port: Port) -> &Spec {
        &self.nodes[port.node].outputs[port.output]
    }

    /// Records the graph's operations on `inputs` and returns its outputs.
    ///
    /// # Panics
    /// If there are not as many inputs as the graph has.
    pub fn inline(&self, inputs: &[Value]) -> Vec<Value> {
        assert_eq!(self.inputs.len(), inputs.len(), "inline: the number of inputs differs");
        let mut values: Vec<Vec<Value>> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            values.push(match self.inputs.iter().position(|&input| input == index) {
                Some(position) => vec![inputs[position].clone()],
                None => {
                    let read: Vec<&Value> = node.inputs.iter().map(|p| &values[p.node][p.output]).collect();
                    Value::record(node.op.clone(), &read)
                }
            });
        }
        self.outputs.iter().map(|port| values[port.node][port.output].clone()).collect()
    }

    /// How many multiplications and additions the products of all operations have; see
    /// [`Operation::num_flops`].
    pub fn num_flops(&self) -> u64 {
        let of_node = |node: &GraphNode| {
            let inputs: Vec<Spec> = node.inputs.iter().map(|&port| self.spec(port).clone()).collect();
            node.op.num_flops(&inputs)
        };
        self.nodes.iter().map(of_node).sum()
    }

    /// How many nodes read each output of each node; being an output of the graph counts as one.
    pub fn use_counts(&self) -> HashMap<Port, usize> {
        let mut counts = HashMap::new();
        let reads = self.nodes.iter().flat_map(|node| &node.inputs);
        for &port in reads.chain(&self.outputs) {
            *counts.entry(port).or_insert(0) += 1;
        }
        counts
    }
}

#[derive(Default)]
struct Capture {
    graph: Graph,
    numbers: HashMap<u64, usize>,
    /// Inputs that are outputs of an operation of several outputs have no node of their own.
    input_ports: HashMap<(u64, usize), Port>,
    constants: Vec<Value>,
}

impl Capture {
    fn run(mut self, inputs: &[Value], outputs: &[Value]) -> Captured {
        for input in inputs {
            self.add_input(input);
        }
        self.visit(outputs);
        self.graph.outputs = outputs.iter().map(|output| self.port(output).expect("visited")).collect();
        Captured { graph: self.graph, constants: self.constants }
    }

    fn add_input(&mut self, value: &Value) {
        let op = Op::Leaf(crate::ops::source::Leaf { spec: value.spec().clone() });
        let node = self.graph.nodes.len();
        self.graph.nodes.push(GraphNode { op, inputs: vec![], outputs: vec![value.spec().clone()] });
        self.graph.inputs.push(node);
        self.input_ports.insert((value.node_id(), value.output_index()), Port { node, output: 0 });
    }

    fn port(&self, value: &Value) -> Option<Port> {
        let key = (value.node_id(), value.output_index());
        let computed = |&node: &usize| Port { node, output: value.output_index() };
        self.input_ports.get(&key).copied().or_else(|| self.numbers.get(&value.node_id()).map(computed))
    }

    /// All that the roots depend on, in order of creation, which is how it was written: a gradient is computed when
    /// what it reads is at hand, not when its turn comes among the outputs.
    fn visit(&mut self, roots: &[Value]) {
        let mut pending: Vec<&Value> = roots.iter().collect();
        let mut found: HashMap<u64, &Value> = HashMap::new();
        while let Some(value) = pending.pop() {
            let known = self.port(value).is_some() || found.contains_key(&value.node_id());
            if known && !(value.is_computed() && self.port(value).is_none()) {
                continue;
            }
            if value.is_computed() {
                self.add_input(value);
                self.constants.push(value.clone());
            } else if let Op::Leaf(_) = value.op() {
                panic!("capture: an input that was not given is needed, recorded at {}", value.location());
            } else {
                found.insert(value.node_id(), value);
                pending.extend(value.inputs());
            }
        }
        let mut order: Vec<&Value> = found.into_values().collect();
        order.sort_unstable_by_key(|value| value.node_id());
        for value in order {
            let inputs = value.inputs().iter().map(|input| self.port(input).expect("earlier")).collect();
            let outputs = value.siblings().iter().map(|sibling| sibling.spec().clone()).collect();
            self.numbers.insert(value.node_id(), self.graph.nodes.len());
            self.graph.nodes.push(GraphNode { op: value.op().clone(), inputs, outputs });
        }
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, node) in self.nodes.iter().enumerate() {
            let outputs: Vec<String> = node.outputs.iter().map(Spec::to_string).collect();
            let inputs: Vec<String> = node.inputs.iter().map(|p| format!("%{}.{}", p.node, p.output)).collect();
            writeln!(f, "%{index}: {} = {:?}({})", outputs.join(", "), node.op, inputs.join(", "))?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|p| format!("%{}.{}", p.node, p.output)).collect();
        write!(f, "return {}", outputs.join(", "))
    }
}

impl Captured {
    /// The elements of the constants.
    pub fn constant_buffers(&self) -> impl Iterator<Item = &Buffer> {
        self.constants.iter().map(|value| value.buffer().expect("constants are computed"))
    }
}
