//! What of a program differs between the devices that run it.

use gyrus_graph::ops::whole::BatchNormGrad;
use gyrus_graph::{Graph, Op};

/// How a value lies on several devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Each has all of it.
    Whole,
    /// Each has an equal share, by the leading axis.
    Split,
}

/// For each output, whether it may differ from device to device, where inputs do for which `differs` is true.
///
/// Random numbers differ; what comes out of an all-reduce does not, nor do the statistics of batch normalisation, which
/// are those of the whole batch.
pub(crate) fn outputs_that_differ(graph: &Graph, differs: &[bool]) -> Vec<bool> {
    let mut of_node: Vec<Vec<bool>> = Vec::with_capacity(graph.nodes.len());
    let mut inputs = differs.iter();
    for node in &graph.nodes {
        let operands: Vec<bool> = node.inputs.iter().map(|port| of_node[port.node][port.output]).collect();
        let any = operands.contains(&true);
        let count = node.outputs.len();
        of_node.push(match &node.op {
            Op::Leaf(_) => vec![*inputs.next().expect("one for each input")],
            Op::AllReduce(_) => vec![false],
            Op::RandomBits(_) => vec![true],
            op if is_of_all_shares(op) => (0..count).map(|output| any && output == 0).collect(),
            Op::Remat(remat) => outputs_that_differ(&remat.body, &operands),
            Op::Scan(scan) => vec![any || is_random(&scan.body); count],
            Op::WhileLoop(loop_) => vec![any || is_random(&loop_.condition) || is_random(&loop_.body); count],
            _ => vec![any; count],
        });
    }
    graph.outputs.iter().map(|port| of_node[port.node][port.output]).collect()
}

/// Whether the statistics of an operation are those of all shares of a batch.
pub(crate) fn is_of_all_shares(op: &Op) -> bool {
    matches!(op, Op::BatchNormTraining(norm) | Op::BatchNormGrad(BatchNormGrad { of: norm }) if norm.is_of_all_shares)
}

/// Whether a graph draws random numbers.
fn is_random(graph: &Graph) -> bool {
    let draws = |op: &Op| match op {
        Op::RandomBits(_) => true,
        Op::Remat(remat) => is_random(&remat.body),
        Op::Scan(scan) => is_random(&scan.body),
        Op::WhileLoop(loop_) => is_random(&loop_.condition) || is_random(&loop_.body),
        _ => false,
    };
    graph.nodes.iter().any(|node| draws(&node.op))
}
