//! Algebraic simplification and common subexpressions. Only rewrites that give the same bits (NaN and
//! signed zeros included) are made; of a product the same terms are summed, in the order of its kernel.

use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_graph::ops::elementwise::{Binary, Unary};
use gyrus_graph::ops::movement::{Broadcast, Reshape, Transpose};
use gyrus_graph::ops::source::Constant;
use gyrus_graph::{DType, Graph, GraphNode, Op, Port, Scalar};

use super::{Builder, outputs_of, rebuild};

/// Simplifies until nothing changes.
pub(crate) fn simplify(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    loop {
        let num_readers = num_readers(&graph);
        let simpler = rebuild(&graph, |builder, node, inputs| {
            match rule(builder, node, inputs).or_else(|| transposed_product(builder, node, inputs, &num_readers)) {
                Some(port) => vec![port],
                None => {
                    let port = builder.add(node.op.clone(), inputs);
                    outputs_of(port, node)
                }
            }
        });
        if simpler == graph {
            return graph;
        }
        graph = simpler;
    }
}

/// How often each node's results are read, or are results of the graph.
fn num_readers(graph: &Graph) -> Vec<usize> {
    let mut num_readers = vec![0; graph.nodes.len()];
    let read = graph.nodes.iter().flat_map(|node| &node.inputs).chain(&graph.outputs);
    read.for_each(|port| num_readers[port.node] += 1);
    num_readers
}

/// The product `b a` for a transposed product `(a b)ᵀ` that no one else reads: it is written as it is wanted.
fn transposed_product(builder: &mut Builder, node: &GraphNode, inputs: &[Port], num_readers: &[usize]) -> Option<Port> {
    let Op::Transpose(transpose) = &node.op else { return None };
    let Op::DotGeneral(op) = builder.op(inputs[0]).clone() else { return None };
    let &[lhs, rhs] = builder.inputs_of(inputs[0]) else { unreachable!("two operands") };
    let num_batch = op.lhs_batch.len();
    let num_rows = op.lhs_free(builder.spec(lhs).shape.rank()).len();
    let rank = transpose.permutation.len();
    let swapped = (0..num_batch).chain(num_batch + num_rows..rank).chain(num_batch..num_batch + num_rows);
    if num_readers[node.inputs[0].node] > 1 || num_rows == 0 || !swapped.eq(transpose.permutation.iter().copied()) {
        return None;
    }
    let op = DotGeneral {
        lhs_batch: op.rhs_batch,
        rhs_batch: op.lhs_batch,
        lhs_contract: op.rhs_contract,
        rhs_contract: op.lhs_contract,
        ..op
    };
    Some(builder.add(op, &[rhs, lhs]))
}

/// A simpler value equal to the node's only output.
fn rule(builder: &mut Builder, node: &GraphNode, inputs: &[Port]) -> Option<Port> {
    let spec = node.outputs.first()?;
    match &node.op {
        Op::Reshape(op) => {
            if builder.spec(inputs[0]).shape == op.shape {
                return Some(inputs[0]);
            }
            match builder.op(inputs[0]).clone() {
                Op::Reshape(_) => {
                    let source = builder.inputs_of(inputs[0])[0];
                    Some(builder.add(Reshape { shape: op.shape.clone() }, &[source]))
                }
                Op::Constant(Constant { scalar, .. }) => Some(builder.constant(scalar, &op.shape)),
                _ => None,
            }
        }
        Op::Transpose(op) => match builder.op(inputs[0]).clone() {
            Op::Transpose(inner) => {
                let source = builder.inputs_of(inputs[0])[0];
                let permutation: Vec<usize> = op.permutation.iter().map(|&axis| inner.permutation[axis]).collect();
                let is_identity = permutation.iter().copied().eq(0..permutation.len());
                Some(if is_identity { source } else { builder.add(Transpose { permutation }, &[source]) })
            }
            Op::Constant(Constant { scalar, .. }) => Some(builder.constant(scalar, &spec.shape)),
            _ => None,
        },
        Op::Broadcast(op) => match builder.op(inputs[0]).clone() {
            Op::Broadcast(inner) => {
                let source = builder.inputs_of(inputs[0])[0];
                let axes = inner.axes.iter().map(|&axis| op.axes[axis]).collect();
                Some(builder.add(Broadcast { shape: op.shape.clone(), axes }, &[source]))
            }
            Op::Constant(Constant { scalar, .. }) => Some(builder.constant(scalar, &spec.shape)),
            _ => None,
        },
        Op::Slice(_) => {
            let scalar = constant_of(builder, inputs[0])?;
            Some(builder.constant(scalar, &spec.shape))
        }
        Op::Convert(op) => {
            let scalar = constant_of(builder, inputs[0])?;
            let exact = Scalar::from_f64(op.dtype, scalar.to_f64());
            let keeps = scalar.dtype() != DType::I64 && exact.to_f64() == scalar.to_f64();
            keeps.then(|| builder.constant(exact, &spec.shape))
        }
        Op::Unary(Unary::Neg) => match builder.op(inputs[0]) {
            Op::Unary(Unary::Neg) => Some(builder.inputs_of(inputs[0])[0]),
            _ => None,
        },
        Op::Binary(op) => binary(builder, *op, inputs),
        Op::Select(_) => (inputs[1] == inputs[2]).then_some(inputs[1]),
        _ => None,
    }
}

fn binary(builder: &mut Builder, op: Binary, inputs: &[Port]) -> Option<Port> {
    let (a, b) = (inputs[0], inputs[1]);
    let (left, right) = (constant_of(builder, a), constant_of(builder, b));
    let is = |scalar: Option<Scalar>, value: f64| scalar.is_some_and(|scalar| scalar.to_f64() == value);
    let is_float = builder.spec(a).dtype.is_float();
    // x + 0 is not x for x = -0, but x - 0 and x + -0 are.
    let is_zero_to_add = |scalar: Option<Scalar>| {
        scalar.is_some_and(|scalar| scalar.to_f64() == 0.0 && (!is_float || scalar.to_f64().is_sign_negative()))
    };
    match op {
        Binary::Mul if is(right, 1.0) => Some(a),
        Binary::Mul if is(left, 1.0) => Some(b),
        Binary::Div if is(right, 1.0) => Some(a),
        Binary::Div if is_float => {
            // Division by a power of two is multiplication by its exact reciprocal.
            let divisor = right?.to_f64();
            let reciprocal = 1.0 / divisor;
            let exact = divisor.is_normal() && reciprocal.is_normal() && reciprocal * divisor == 1.0;
            let is_power = divisor.to_bits() & ((1 << 52) - 1) == 0 && (1e-4..1e4).contains(&divisor.abs());
            (exact && is_power).then(|| {
                let spec = builder.spec(a).clone();
                let reciprocal = builder.constant(Scalar::from_f64(spec.dtype, reciprocal), &spec.shape);
                builder.add(Binary::Mul, &[a, reciprocal])
            })
        }
        Binary::Add if is_zero_to_add(right) => Some(a),
        Binary::Add if is_zero_to_add(left) => Some(b),
        Binary::Sub if is(right, 0.0) && right.is_some_and(|zero| zero.to_f64().is_sign_positive()) => Some(a),
        _ => None,
    }
}

fn constant_of(builder: &Builder, port: Port) -> Option<Scalar> {
    match builder.op(port) {
        Op::Constant(constant) => Some(constant.scalar),
        _ => None,
    }
}
