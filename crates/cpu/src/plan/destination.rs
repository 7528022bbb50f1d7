//! Where results are wanted in memory, other than in row-major blocks of their own.
//!
//! Heads are computed next to each other and read one after the other: what turns them round, and what joins the
//! gradients of queries, keys and values, only moves elements. A kernel that writes where it is told saves that.

use gyrus_graph::ops::movement::Slice;
use gyrus_graph::{Graph, Op, Port};

use super::view::View;

/// A block of memory, and which part of it each result of an operation is.
pub(super) struct Destination {
    /// What the block holds.
    pub(super) whole: Port,
    pub(super) view: View,
    /// Results by their numbers.
    pub(super) parts: Vec<(usize, View)>,
}

/// The memory that suits those who read the results of an operation, if it is not each result's own.
pub(super) fn destination(graph: &Graph, node: usize) -> Option<Destination> {
    let concatenations = (node + 1..graph.nodes.len()).filter(|&reader| reads_parts_of(graph, reader, node));
    if let Some(joined) = concatenations.filter_map(|reader| joined(graph, reader)).next() {
        return Some(joined);
    }
    let whole = Port { node, output: 0 };
    let view = transposed(graph, whole)?;
    Some(Destination { whole, parts: vec![(0, view.clone())], view })
}

/// Whether a node joins results of another and nothing else, each once.
fn reads_parts_of(graph: &Graph, reader: usize, node: usize) -> bool {
    let reader = &graph.nodes[reader];
    let mut outputs: Vec<usize> = vec![];
    matches!(reader.op, Op::Concatenate(_))
        && reader.inputs.iter().map(|&port| reshaped(graph, port)).all(|source| {
            let is_new = !outputs.contains(&source.output);
            outputs.push(source.output);
            source.node == node && is_new
        })
}

/// The operands of a concatenation as parts of its result.
fn joined(graph: &Graph, node: usize) -> Option<Destination> {
    let (whole, reader) = (Port { node, output: 0 }, &graph.nodes[node]);
    let Op::Concatenate(op) = &reader.op else { return None };
    let view = transposed(graph, whole).unwrap_or_else(|| View::contiguous(&graph.spec(whole).shape));
    let mut end = 0;
    let mut part = |&port: &Port| {
        let (shape, source) = (&graph.spec(port).shape, reshaped(graph, port));
        let mut start = vec![0; shape.rank()];
        start[op.axis] = end;
        end += shape[op.axis];
        let limit = start.iter().zip(&shape[..]).map(|(start, size)| start + size).collect();
        let slice = Slice { step: vec![1; shape.rank()], start, limit };
        Some((source.output, view.slice(&slice, shape).reshape(&graph.spec(source).shape)?))
    };
    let parts = reader.inputs.iter().map(&mut part).collect::<Option<Vec<_>>>()?;
    Some(Destination { whole, view, parts })
}

/// What was reshaped.
fn reshaped(graph: &Graph, mut port: Port) -> Port {
    while let Op::Reshape(_) = graph.nodes[port.node].op {
        port = graph.nodes[port.node].inputs[0];
    }
    port
}

/// The view that the first transposition that reads a value makes row-major.
fn transposed(graph: &Graph, port: Port) -> Option<View> {
    graph.nodes.iter().find_map(|reader| match &reader.op {
        Op::Transpose(op) if reader.inputs[0] == port => {
            let mut inverse = vec![0; op.permutation.len()];
            op.permutation.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
            Some(View::contiguous(&reader.outputs[0].shape).transpose(&inverse))
        }
        _ => None,
    })
}
