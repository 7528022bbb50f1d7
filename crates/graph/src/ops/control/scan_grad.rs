//! The gradient of a scan: a scan the other way over the gradient of its body.

use std::sync::Arc;

use super::Vjp;
use super::closure::{close, placeholders};
use super::scan::Scan;
use super::while_loop::{input_specs, output_specs};
use crate::{Graph, Port, Value};

/// Of the carries at `indices` those with which each step began, stacked: outputs of the scan, where it
/// keeps them; else of the same scan run again.
fn saved_carries(scan: &Scan, context: &Vjp, indices: &[usize]) -> Vec<Value> {
    let (num_carries, mut body) = (scan.num_carries, Graph::clone(&scan.body));
    let carries: Vec<Port> = indices.iter().map(|&index| Port { node: body.inputs[index], output: 0 }).collect();
    let kept = |port: &Port| body.outputs[num_carries..].iter().position(|output| output == port);
    if let Some(kept) = carries.iter().map(kept).collect::<Option<Vec<usize>>>() {
        return kept.into_iter().map(|index| context.outputs[index + num_carries].clone()).collect();
    }
    body.outputs.truncate(num_carries);
    body.outputs.extend(carries);
    let again = Scan { body: Arc::new(body), ..scan.clone() };
    Value::record(again, &context.inputs.iter().collect::<Vec<_>>()).split_off(num_carries)
}

/// The backward scan. Its carries are the cotangents of the carries and the sums so far of the constants'
/// cotangents; its `xs` are the carries kept and the scan's `xs`, as far as they are read, and the cotangents
/// of the `ys`; its constants are the scan's.
pub(super) fn vjp(scan: &Scan, context: &Vjp) -> Vec<Option<Value>> {
    let (num_carries, num_sliced) = (scan.num_carries, scan.num_carries + scan.num_xs);
    let (takes, returns) = (input_specs(&scan.body), output_specs(&scan.body));
    let is_float = |index: &usize| takes[*index].dtype.is_float();
    let is_needed = |index: &usize| is_float(index) && context.needs[*index];
    let real_carries: Vec<usize> = (0..num_carries).filter(is_float).collect();
    let real_xs: Vec<usize> = (num_carries..num_sliced).filter(is_needed).collect();
    let real_constants: Vec<usize> = (num_sliced..takes.len()).filter(is_needed).collect();
    let reached: Vec<usize> = (num_carries..returns.len()).filter(|&y| context.cotangents[y].is_some()).collect();

    let dcarries = placeholders(real_carries.iter().map(|&index| &takes[index]));
    let sums = placeholders(real_constants.iter().map(|&index| &takes[index]));
    let forward = placeholders(&takes);
    let dys = placeholders(reached.iter().map(|&y| &returns[y]));

    let outputs = scan.body.inline(&forward);
    let ends = real_carries.iter().chain(&reached);
    let (outputs, cotangents): (Vec<Value>, Vec<Value>) =
        ends.map(|&index| outputs[index].clone()).zip(dcarries.iter().chain(&dys).cloned()).unzip();
    let targets = real_carries.iter().chain(&real_xs).chain(&real_constants);
    let targets: Vec<Value> = targets.map(|&index| forward[index].clone()).collect();
    let products = crate::gradients(&outputs, &cotangents, &targets);

    let (of_carries, rest) = products.split_at(real_carries.len());
    let (of_xs, of_constants) = rest.split_at(real_xs.len());
    let or_zeros =
        |(product, target): (&Option<Value>, &Value)| product.clone().unwrap_or_else(|| target.full_like(0.0));
    let next_sums = of_constants.iter().zip(&sums).map(|(product, sum)| match product {
        Some(product) => sum.add(product),
        None => sum.clone(),
    });
    let mut results: Vec<Value> = of_carries.iter().zip(&targets).map(or_zeros).collect();
    results.extend(next_sums);
    results.extend(of_xs.iter().flatten().cloned());

    let used = used_inputs(&[&dcarries[..], &sums, &dys, &forward].concat(), &results);
    let used = &used[used.len() - forward.len()..];
    let used_carries: Vec<usize> = (0..num_carries).filter(|&index| used[index]).collect();
    let used_xs: Vec<usize> = (num_carries..num_sliced).filter(|&index| used[index]).collect();
    let sliced = used_carries.iter().chain(&used_xs).map(|&index| forward[index].clone());
    let arguments = [&dcarries[..], &sums, &sliced.collect::<Vec<_>>(), &dys, &forward[num_sliced..]].concat();
    let traced = close(&arguments, &results);
    let backward = Scan {
        body: Arc::new(traced.graph),
        num_carries: dcarries.len() + sums.len(),
        num_xs: used_carries.len() + used_xs.len() + dys.len(),
        length: scan.length,
        reverse: !scan.reverse,
    };
    let mut operands: Vec<Value> = real_carries.iter().map(|&index| context.cotangent_or_zeros(index)).collect();
    operands.extend(real_constants.iter().map(|&index| context.inputs[index].full_like(0.0)));
    operands.extend(saved_carries(scan, context, &used_carries));
    operands.extend(used_xs.iter().map(|&index| context.inputs[index].clone()));
    operands.extend(reached.iter().map(|&y| context.cotangents[y].clone().expect("reached")));
    operands.extend_from_slice(&context.inputs[num_sliced..]);
    operands.extend(traced.outer);
    let mut outputs = Value::record(backward, &operands.iter().collect::<Vec<_>>()).into_iter();

    let mut gradients: Vec<Option<Value>> = vec![None; takes.len()];
    for &index in real_carries.iter().chain(&real_constants) {
        gradients[index] = outputs.next();
    }
    for (&index, product) in real_xs.iter().zip(of_xs) {
        gradients[index] = product.as_ref().and_then(|_| outputs.next());
    }
    gradients
}

/// Which of the placeholders `arguments` the values `results` depend on.
fn used_inputs(arguments: &[Value], results: &[Value]) -> Vec<bool> {
    let graph = close(arguments, results).graph;
    let counts = graph.use_counts();
    let is_used = |&node: &usize| counts.contains_key(&Port { node, output: 0 });
    graph.inputs[..arguments.len()].iter().map(is_used).collect()
}
