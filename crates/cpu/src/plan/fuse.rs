//! Decides which operations run together in one pass over memory, and in which order.
//!
//! An element-wise operation joins the pass of an operation that reads it, so that its result stays
//! in a register block; it is written to memory only if another pass reads it as well. A pass may end
//! in a reduction, or follow a contraction as its epilogue, on each region while it is in cache.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use gyrus_graph::{Graph, Op, Port};

/// Beyond this many operations a pass is split: its blocks would no longer fit the first-level cache.
const MAX_OPERATIONS: usize = 64;

/// What the planner does with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Given, or cheaper to make where it is read than to store.
    Source,
    /// Moves elements: a matter of strides.
    View,
    /// Computed block by block within a pass.
    Elementwise,
    /// Computed by the end of a pass.
    Reduce,
    /// Has a kernel of its own.
    Kernel,
}

impl Role {
    pub(crate) fn of(op: &Op) -> Role {
        match op {
            op if op.is_source() => Role::Source,
            op if op.is_view() => Role::View,
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select(_) | Op::Convert(_) => Role::Elementwise,
            Op::Reduce(_) => Role::Reduce,
            _ => Role::Kernel,
        }
    }
}

/// What a value is a view of, or itself.
pub(super) fn root(graph: &Graph, mut port: Port) -> Port {
    while Role::of(&graph.nodes[port.node].op) == Role::View {
        port = graph.nodes[port.node].inputs[0];
    }
    port
}

/// Operations that run together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// The reduction or kernel, if there is one.
    pub(crate) anchor: Option<usize>,
    /// A reduction of what the kernel reads, which it computes as well.
    pub(crate) beside: Option<usize>,
    /// Element-wise operations in topological order: before a reduction, after a kernel.
    pub(crate) elementwise: Vec<usize>,
}

/// Partitions the graph and orders the parts so that each runs after what it reads. `writers` are pairs
/// of an input and the operation that may overwrite it: it runs after all others that read the input,
/// where that can be.
pub(crate) fn fuse(graph: &Graph, kernels: &dyn Kernels, writers: &[(usize, usize)]) -> Vec<Group> {
    let mut fusion = Fusion::new(graph, writers);
    for node in (0..graph.nodes.len()).rev() {
        match Role::of(&graph.nodes[node].op) {
            Role::Source | Role::View => {}
            Role::Kernel | Role::Reduce => {
                let group = fusion.open(node);
                fusion.groups[group].anchor = Some(node);
                fusion.attach_beside(group, kernels);
            }
            Role::Elementwise => {
                let group = fusion.host(node).unwrap_or_else(|| fusion.open(node));
                fusion.join(node, group);
            }
        }
    }
    for group in 0..fusion.groups.len() {
        if fusion.groups[group]
            .anchor
            .is_some_and(|node| Role::of(&graph.nodes[node].op) == Role::Kernel && kernels.takes_epilogue(node))
        {
            fusion.attach_epilogue(group);
        }
    }
    fusion.schedule()
}

/// What kernels can do beside their operations.
pub(crate) trait Kernels {
    /// Whether the kernel of a node is followed by element-wise operations.
    fn takes_epilogue(&self, node: usize) -> bool;
    /// Whether it computes a reduction of what it reads as well.
    fn reduces(&self, node: usize, reduction: usize) -> bool;
}

/// An operation that reads another's result.
#[derive(Clone, Copy)]
struct Reader {
    node: usize,
    /// Whether it reads the elements in place, not through a view.
    directly: bool,
}

struct Fusion<'g> {
    graph: &'g Graph,
    readers: Vec<Vec<Reader>>,
    group_of: Vec<usize>,
    groups: Vec<Group>,
    /// Which groups run after a group: those that read its results or overwrite what it reads.
    successors: Vec<BTreeSet<usize>>,
    /// Which operations overwrite what an operation reads.
    overwritten_by: Vec<Vec<usize>>,
    /// The other way round.
    overwrites: Vec<Vec<usize>>,
}

const NONE: usize = usize::MAX;

impl<'g> Fusion<'g> {
    fn new(graph: &'g Graph, writers: &[(usize, usize)]) -> Self {
        let mut readers = vec![vec![]; graph.nodes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            if Role::of(&node.op) == Role::View {
                continue;
            }
            for port in &node.inputs {
                let source = root(graph, *port).node;
                readers[source].push(Reader { node: index, directly: source == port.node });
            }
        }
        let mut overwritten_by = vec![vec![]; graph.nodes.len()];
        let mut overwrites = vec![vec![]; graph.nodes.len()];
        for &(input, writer) in writers {
            for reader in readers[input].iter().filter(|reader| reader.node != writer) {
                overwritten_by[reader.node].push(writer);
                overwrites[writer].push(reader.node);
            }
        }
        let group_of = vec![NONE; graph.nodes.len()];
        Fusion { graph, readers, group_of, groups: vec![], successors: vec![], overwritten_by, overwrites }
    }

    fn open(&mut self, node: usize) -> usize {
        self.groups.push(Group::default());
        self.successors.push(self.reading_groups(node));
        self.group_of[node] = self.groups.len() - 1;
        self.order_writes(node);
        self.groups.len() - 1
    }

    fn join(&mut self, node: usize, group: usize) {
        let others = self.reading_groups(node);
        self.successors[group].extend(others.into_iter().filter(|&other| other != group));
        self.group_of[node] = group;
        self.groups[group].elementwise.insert(0, node);
        self.order_writes(node);
    }

    /// Lets those that overwrite what an operation reads run after it, and it after those that read what
    /// it overwrites, unless that makes a cycle.
    fn order_writes(&mut self, node: usize) {
        let after = self.overwritten_by[node].iter().map(|&writer| (node, writer));
        let before = self.overwrites[node].iter().map(|&reader| (reader, node));
        for (reader, writer) in after.chain(before).collect::<Vec<_>>() {
            let (from, to) = (self.group_of[reader], self.group_of[writer]);
            if from != NONE && to != NONE && from != to && !self.reaches(to, from) {
                self.successors[from].insert(to);
            }
        }
    }

    fn reading_groups(&self, node: usize) -> BTreeSet<usize> {
        self.readers[node].iter().map(|reader| self.group_of[reader.node]).collect()
    }

    /// The group whose pass can compute an element-wise operation as well: one that reads it, and that
    /// runs before all others that do.
    fn host(&self, node: usize) -> Option<usize> {
        let reading = self.reading_groups(node);
        let accepts = |&group: &usize| {
            let mut inside = self.readers[node].iter().filter(|reader| self.group_of[reader.node] == group);
            let role = |reader: &Reader| Role::of(&self.graph.nodes[reader.node].op);
            inside.all(|reader| reader.directly && matches!(role(reader), Role::Elementwise | Role::Reduce))
                && self.groups[group].elementwise.len() < MAX_OPERATIONS
                && reading.iter().all(|&other| other == group || !self.reaches(other, group))
        };
        reading.iter().copied().find(accepts)
    }

    /// Whether a group's results flow into another.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut pending = vec![from];
        let mut seen = vec![false; self.groups.len()];
        while let Some(group) = pending.pop() {
            if group == to {
                return true;
            }
            if !std::mem::replace(&mut seen[group], true) {
                pending.extend(&self.successors[group]);
            }
        }
        false
    }

    /// Lets a kernel's group take over an element-wise group that reads the kernel's result, if
    /// nothing else that the latter reads depends on the kernel.
    fn attach_epilogue(&mut self, kernel: usize) {
        let anchor = self.groups[kernel].anchor.expect("a kernel");
        let accepts = |&group: &usize| {
            let mut reading =
                self.readers[anchor].iter().filter(|reader| self.group_of[reader.node] == group).peekable();
            // What is computed beside the kernel is there when it has run.
            let beside = self.groups[kernel].beside.iter().flat_map(|&node| &self.readers[node]);
            // What the kernel reads must not be overwritten while it runs.
            let overwrites = |&node: &usize| self.overwrites[node].contains(&anchor);
            self.groups[group].anchor.is_none()
                && reading.peek().is_some()
                && reading.all(|reader| reader.directly && self.reads_first_output(reader.node, anchor))
                && beside.map(|reader| self.group_of[reader.node]).all(|reading| reading != group)
                && !self.groups[group].elementwise.iter().any(overwrites)
                && self.successors[kernel].iter().all(|&other| other == group || !self.reaches(other, group))
        };
        let Some(group) = self.successors[kernel].iter().copied().find(accepts) else { return };
        self.groups[kernel].elementwise = self.take_over(group, kernel).elementwise;
    }

    /// Lets the kernel of one of two groups, of which one has just been opened, compute the reduction that is all of the
    /// other, if it can and neither needs the other's results.
    fn attach_beside(&mut self, opened: usize, kernels: &dyn Kernels) {
        let is_reduce = |node: usize| Role::of(&self.graph.nodes[node].op) == Role::Reduce;
        let anchor = self.groups[opened].anchor.expect("just opened");
        let ordered = |other: usize| if is_reduce(anchor) { (other, opened) } else { (opened, other) };
        let accepts = |&other: &usize| {
            let (kernel, reduction) = ordered(other);
            let (Some(node), Some(reduced)) = (self.groups[kernel].anchor, self.groups[reduction].anchor) else {
                return false;
            };
            !is_reduce(node)
                && is_reduce(reduced)
                && self.groups[kernel].beside.is_none()
                && self.groups[reduction].elementwise.is_empty()
                && kernels.reduces(node, reduced)
                && !self.reaches(kernel, reduction)
                && !self.reaches(reduction, kernel)
        };
        let read = self.graph.nodes[anchor].inputs.iter().map(|&port| root(self.graph, port).node);
        let others = read.flat_map(|source| &self.readers[source]).map(|reader| self.group_of[reader.node]);
        let others: Vec<usize> = others.filter(|&other| other != NONE && other != opened).collect();
        if let Some((kernel, reduction)) = others.into_iter().find(accepts).map(ordered) {
            self.groups[kernel].beside = self.take_over(reduction, kernel).anchor;
        }
    }

    /// Empties a group, whose operations and whose place among the others a kernel's group takes over; returns what it was.
    fn take_over(&mut self, group: usize, kernel: usize) -> Group {
        let taken = std::mem::take(&mut self.groups[group]);
        taken.elementwise.iter().chain(&taken.anchor).for_each(|&node| self.group_of[node] = kernel);
        for successors in &mut self.successors {
            if successors.remove(&group) {
                successors.insert(kernel);
            }
        }
        let inherited = std::mem::take(&mut self.successors[group]);
        self.successors[kernel].extend(inherited);
        self.successors[kernel].remove(&kernel);
        taken
    }

    /// An epilogue works on the first output's elements, one by one.
    fn reads_first_output(&self, reader: usize, anchor: usize) -> bool {
        let node = &self.graph.nodes[reader];
        let same_shape = node.outputs[0].shape == self.graph.nodes[anchor].outputs[0].shape;
        same_shape && node.inputs.iter().all(|port| port.node != anchor || port.output == 0)
    }

    /// Each group after those it reads; otherwise in the order in which the program was written.
    fn schedule(self) -> Vec<Group> {
        let mut waiting_for = vec![0usize; self.groups.len()];
        self.successors.iter().flatten().for_each(|&group| waiting_for[group] += 1);
        let is_empty = |group: &Group| group.anchor.is_none() && group.elementwise.is_empty();
        let position = |group: &Group| group.anchor.or(group.elementwise.last().copied());
        let mut ready: BinaryHeap<Reverse<(usize, usize)>> = self
            .groups
            .iter()
            .enumerate()
            .filter(|&(index, group)| waiting_for[index] == 0 && !is_empty(group))
            .filter_map(|(index, group)| Some(Reverse((position(group)?, index))))
            .collect();
        let mut order = vec![];
        while let Some(Reverse((_, index))) = ready.pop() {
            for &next in &self.successors[index] {
                waiting_for[next] -= 1;
                if waiting_for[next] == 0 {
                    let position = position(&self.groups[next]).expect("a successor is not empty");
                    ready.push(Reverse((position, next)));
                }
            }
            order.push(self.groups[index].clone());
        }
        debug_assert_eq!(order.len(), self.groups.iter().filter(|group| !is_empty(group)).count(), "a cycle");
        order
    }
}
