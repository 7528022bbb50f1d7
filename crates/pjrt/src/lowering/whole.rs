//! Operations for which StableHLO has no word: functions made of their decomposition.

use gyrus_graph::{Graph, Op, Operation, Value};

use super::LoweringError;
use super::writer::{Tensor, Writer};

/// A call of the operation's decomposition.
pub(super) fn lower(w: &mut Writer, op: &Op, operands: &[Tensor]) -> Result<Vec<Tensor>, LoweringError> {
    w.call(op, operands, |x| op.decompose(x))
}

/// As [`lower`], where a sum over the batch is one over all replicas. Divided by what one replica has, the mean of
/// the replicas' sums is the mean over the whole batch. The gradients of weight and bias, which are sums, become
/// means over replicas, as all gradients of weights do where the loss is the mean of the replicas' losses. What
/// differentiates these gradients again, or the statistics, which training does not, takes the statistics of its part.
pub(super) fn of_all_replicas(w: &mut Writer, op: &Op, operands: &[Tensor]) -> Result<Vec<Tensor>, LoweringError> {
    w.call(op, operands, |x| {
        let graph = Graph::capture(x, &op.decompose(x)?).graph;
        let mut values: Vec<Vec<Value>> = vec![];
        for (index, node) in graph.nodes.iter().enumerate() {
            let read: Vec<&Value> = node.inputs.iter().map(|port| &values[port.node][port.output]).collect();
            values.push(match graph.inputs.iter().position(|&input| input == index) {
                Some(place) => vec![x[place].clone()],
                None if matches!(node.op, Op::Reduce(_)) => {
                    vec![Value::record_one(node.op.clone(), &read).all_reduce_mean()]
                }
                None => Value::record(node.op.clone(), &read),
            });
        }
        Some(graph.outputs.iter().map(|port| values[port.node][port.output].clone()).collect())
    })
}
