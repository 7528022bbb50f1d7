//! What the steps of a plan do, for those who look at plans and measure them.

use std::collections::HashSet;

use gyrus_graph::ops::reduction::Reduce;
use gyrus_graph::{Graph, Op, Operation, Port, Spec};

use super::Plan;
use super::fuse::{Group, Role};
use super::lower::{Slot, Storage, kept};
use super::step::{Origin, Step};

/// What cannot be done without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Multiplications and additions of products, two for each term of a sum.
    pub flops: u64,
    /// What is read once and what is written once.
    pub bytes: u64,
}

/// What one step of a plan does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSummary {
    /// The operations in the order in which they are computed, each named once, with how often it occurs:
    /// `dot_general, add, tanh` or `mul x3, add x2, sqrt, div`.
    pub operations: String,
    /// What it reads and what it writes: `f32[8, 6] f32[6, 5] -> f32[8, 5]`.
    pub shapes: String,
    /// What it has to do.
    pub work: Work,
}

impl Plan {
    /// What each step does, in order.
    pub fn summaries(&self) -> Vec<StepSummary> {
        let stored = kept(&self.graph, &self.groups);
        let of_value = |name: &str, spec: &Spec, passes: usize| StepSummary {
            operations: name.into(),
            shapes: spec.to_string(),
            work: Work { flops: 0, bytes: (passes * spec.num_bytes()) as u64 },
        };
        let of_step = |step: &Step| match &step.origin {
            Origin::Group(index) => of_group(&self.graph, &self.groups[*index], &stored),
            Origin::Anchor(index) => {
                let kernel = Group { anchor: self.groups[*index].anchor, ..Group::default() };
                of_group(&self.graph, &kernel, &stored)
            }
            Origin::Rest(index) => {
                let rest = Group { elementwise: self.groups[*index].elementwise.clone(), ..Group::default() };
                of_group(&self.graph, &rest, &stored)
            }
            Origin::Beside(index) => {
                let reduction = Group { anchor: self.groups[*index].beside, ..Group::default() };
                of_group(&self.graph, &reduction, &stored)
            }
            Origin::Copy(spec) => of_value("copy", spec, 2),
            Origin::Fill(spec) => of_value("fill", spec, 1),
        };
        self.steps.iter().map(of_step).collect()
    }

    /// The whole plan's work: the products of all steps, and the inputs that are read and the outputs, each
    /// once, as if everything between them stayed in the processor.
    pub fn work(&self) -> Work {
        let read: HashSet<usize> = self.steps.iter().flat_map(|step| step.all_reads()).map(|read| read.slot).collect();
        let bytes = |(index, slot): (usize, &Slot)| match slot.storage {
            Storage::Input(_) if !read.contains(&index) => 0,
            Storage::Arena => 0,
            _ => slot.bytes as u64,
        };
        Work { flops: self.graph.num_flops(), bytes: self.slots.iter().enumerate().map(bytes).sum() }
    }
}

fn of_group(graph: &Graph, group: &Group, stored: &HashSet<Port>) -> StepSummary {
    let is_kernel = group.anchor.is_some_and(|node| Role::of(&graph.nodes[node].op) == Role::Kernel);
    let mut nodes = group.elementwise.clone();
    if let Some(anchor) = group.anchor {
        nodes.insert(if is_kernel { 0 } else { nodes.len() }, anchor);
    }
    nodes.extend(group.beside);
    let mut names: Vec<(String, usize)> = vec![];
    let (mut reads, mut flops) = (vec![], 0);
    for &index in &nodes {
        let node = &graph.nodes[index];
        let name = match &node.op {
            Op::Reduce(Reduce { reduction, .. }) => format!("reduce {reduction:?}").to_lowercase(),
            op => op.name().to_owned(),
        };
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
        for &port in &node.inputs {
            let is_made = Role::of(&graph.nodes[port.node].op) == Role::Source && !graph.inputs.contains(&port.node);
            if !nodes.contains(&port.node) && !is_made && !reads.contains(&port) {
                reads.push(port);
            }
        }
        let inputs: Vec<Spec> = node.inputs.iter().map(|&port| graph.spec(port).clone()).collect();
        flops += node.op.num_flops(&inputs);
    }
    let results = |&node: &usize| (0..graph.nodes[node].outputs.len()).map(move |output| Port { node, output });
    let writes: Vec<Port> = nodes.iter().flat_map(results).filter(|port| stored.contains(port)).collect();
    let bytes = reads.iter().map(|&port| num_bytes_read(graph, port)).sum::<u64>()
        + writes.iter().map(|&port| graph.spec(port).num_bytes() as u64).sum::<u64>();
    let listed = |ports: &[Port]| ports.iter().map(|&port| graph.spec(port).to_string()).collect::<Vec<_>>().join(" ");
    let name = |(name, count): &(String, usize)| if *count == 1 { name.clone() } else { format!("{name} x{count}") };
    StepSummary {
        operations: names.iter().map(name).collect::<Vec<_>>().join(", "),
        shapes: format!("{} -> {}", listed(&reads), listed(&writes)),
        work: Work { flops, bytes },
    }
}

/// A view reads no more than it shows, and no more than there is.
fn num_bytes_read(graph: &Graph, mut port: Port) -> u64 {
    let mut bytes = graph.spec(port).num_bytes();
    while Role::of(&graph.nodes[port.node].op) == Role::View {
        port = graph.nodes[port.node].inputs[0];
        bytes = bytes.min(graph.spec(port).num_bytes());
    }
    bytes as u64
}
