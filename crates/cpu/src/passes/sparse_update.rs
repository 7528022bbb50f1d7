//! Updates of few rows of a large array.
//!
//! The gradient of a table of embeddings is an array of zeros to which rows are added. A step of gradient descent
//! that reads all of it would touch the whole table for the few rows that were looked up.

use std::collections::HashMap;

use gyrus_graph::ops::elementwise::{Binary, Unary};
use gyrus_graph::ops::indexing::{Combine, Scatter};
use gyrus_graph::ops::movement::Broadcast;
use gyrus_graph::ops::source::Constant;
use gyrus_graph::{Graph, GraphNode, Op, Port, Shape};

use super::{Builder, outputs_of, rebuild};

/// Replaces `w - rate * scatter_add(0, indices, updates)` by `scatter_add(w, indices, -(rate * updates))`, where
/// nothing else needs the products. Where an element is addressed more than once, the sum is in another order, and
/// so may have other bits; they depend on nothing but the operands.
pub(crate) fn sparse_updates(graph: &Graph) -> Graph {
    let counts = graph.use_counts();
    rebuild(graph, |builder, node, inputs| {
        let update = is_update(graph, &counts, node).then(|| sparse_update(builder, inputs)).flatten();
        update.map_or_else(|| outputs_of(builder.add(node.op.clone(), inputs), node), |port| vec![port])
    })
}

/// Whether the node subtracts a product that only it reads, one of whose factors only the product reads.
fn is_update(graph: &Graph, counts: &HashMap<Port, usize>, node: &GraphNode) -> bool {
    let is_read_once = |port: &Port| counts.get(port) == Some(&1);
    let is_scatter = |port: &Port| matches!(graph.nodes[port.node].op, Op::Scatter(_)) && is_read_once(port);
    node.op == Op::Binary(Binary::Sub) && is_read_once(&node.inputs[1]) && {
        let subtracted = &graph.nodes[node.inputs[1].node];
        subtracted.op == Op::Binary(Binary::Mul) && subtracted.inputs.iter().any(is_scatter)
    }
}

fn sparse_update(builder: &mut Builder, inputs: &[Port]) -> Option<Port> {
    let &[array, product] = inputs else { unreachable!("two operands") };
    let &[a, b] = builder.inputs_of(product) else { unreachable!("two operands") };
    let (rate, gradient) = if matches!(builder.op(a), Op::Scatter(_)) { (b, a) } else { (a, b) };
    let Op::Scatter(Scatter { combine: Combine::Add, addressing }) = builder.op(gradient).clone() else { return None };
    let &[zeros, indices, updates] = builder.inputs_of(gradient) else { unreachable!("three operands") };
    let starts_at_zero = matches!(builder.op(zeros), Op::Constant(constant) if constant.scalar.to_f64() == 0.0);
    if !starts_at_zero || !builder.spec(updates).dtype.is_float() {
        return None;
    }
    let shape = builder.spec(updates).shape.clone();
    let rate = repeated(builder, rate, &shape)?;
    let scaled = builder.add(Binary::Mul, &[rate, updates]);
    let negated = builder.add(Unary::Neg, &[scaled]);
    Some(builder.add(Scatter { combine: Combine::Add, addressing }, &[array, indices, negated]))
}

/// One number that is repeated over a shape, repeated over another.
fn repeated(builder: &mut Builder, port: Port, shape: &Shape) -> Option<Port> {
    match builder.op(port).clone() {
        Op::Constant(Constant { scalar, .. }) => Some(builder.constant(scalar, shape)),
        Op::Broadcast(Broadcast { axes, .. }) if axes.is_empty() => {
            let scalar = builder.inputs_of(port)[0];
            Some(builder.add(Broadcast { shape: shape.clone(), axes }, &[scalar]))
        }
        _ => None,
    }
}
