//! From groups of operations to steps.

mod product;

pub(super) use self::product::sums_rows;

use std::collections::{HashMap, HashSet};

use gyrus_graph::ops::reduction::Reduce;
use gyrus_graph::{Graph, GraphNode, Op, Port, Shape, Spec};

use super::control;
use super::destination::destination;
use super::fuse::{Group, Role, root};
use super::order::Order;
use super::pass::Pass;
use super::recompute::recomputed;
use super::step::{Epilogue, Origin, Read, Step};
use super::view::View;
use crate::kernel::{Kernel, Signature, Strided};
use crate::kernels::movement::transpose;
use crate::kernels::reduce::ReduceProgram;
use crate::kernels::registry::{ChannelsLast, channels_last_kernel_for, kernel_for};

/// Whose memory a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    /// An input of the graph.
    Input(usize),
    /// An output of the graph.
    Output(usize),
    /// The plan's own.
    Arena,
}

/// A block of memory.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) storage: Storage,
    pub(super) bytes: usize,
}

/// Steps, and the blocks of memory that they work on.
pub(super) struct Lowered {
    pub(super) steps: Vec<Step>,
    pub(super) slots: Vec<Slot>,
}

/// Elements in memory.
#[derive(Clone)]
struct Place {
    slot: usize,
    view: View,
}

pub(super) fn lower(graph: &Graph, groups: &[Group]) -> Lowered {
    let mut lowering = Lowering::new(graph, groups);
    groups.iter().enumerate().for_each(|(index, group)| lowering.lower(index, group));
    lowering.finish()
}

struct Lowering<'g> {
    graph: &'g Graph,
    steps: Vec<Step>,
    slots: Vec<Slot>,
    places: HashMap<Port, Place>,
    /// Copies of what is a view elsewhere, or in another order.
    copies: HashMap<(Port, Order), usize>,
    /// Which element-wise results are read outside of their pass, and so must be in memory.
    stored: HashSet<Port>,
    /// The first place of each result, perhaps in another shape, among the graph's outputs, until it has memory.
    outputs: HashMap<Port, usize>,
}

impl<'g> Lowering<'g> {
    fn new(graph: &'g Graph, groups: &[Group]) -> Self {
        let mut outputs = HashMap::new();
        for (index, &port) in graph.outputs.iter().enumerate() {
            outputs.entry(reshaped(graph, port)).or_insert(index);
        }
        let mut lowering = Lowering {
            graph,
            steps: vec![],
            slots: vec![],
            places: HashMap::new(),
            copies: HashMap::new(),
            stored: kept(graph, groups),
            outputs,
        };
        for (input, &node) in graph.inputs.iter().enumerate() {
            let port = Port { node, output: 0 };
            let slot = lowering.new_slot(Storage::Input(input), graph.spec(port));
            lowering.places.insert(port, Place { slot, view: View::contiguous(&graph.spec(port).shape) });
        }
        lowering
    }

    fn new_slot(&mut self, storage: Storage, spec: &Spec) -> usize {
        self.slots.push(Slot { storage, bytes: spec.num_bytes() });
        self.slots.len() - 1
    }

    /// Memory for a result.
    fn slot_for(&mut self, port: Port, order: &Order) -> usize {
        let storage = self.storage_for(port, order);
        let spec = self.graph.spec(port);
        let slot = self.new_slot(storage, spec);
        self.places.insert(port, Place { slot, view: order.view(&spec.shape) });
        slot
    }

    /// Where a value is to be in an order: the graph's output, if it is one that has no memory yet and the order is that of outputs.
    fn storage_for(&mut self, port: Port, order: &Order) -> Storage {
        let output = if order.is_row_major() { self.outputs.remove(&port) } else { None };
        output.map_or(Storage::Arena, Storage::Output)
    }

    /// Where the elements of a value are, which is computed if it is only described so far.
    fn place(&mut self, port: Port) -> Place {
        if let Some(place) = self.places.get(&port) {
            return place.clone();
        }
        let node = &self.graph.nodes[port.node];
        let shape = &node.outputs[0].shape;
        let place = match &node.op {
            Op::Constant(_) | Op::Iota(_) => {
                let mut pass = Pass::new(shape, Order::row_major(shape.rank()));
                pass.make(port, &node.op);
                let slot = self.new_slot(Storage::Arena, &node.outputs[0]);
                self.finish_pass(Origin::Fill(node.outputs[0].clone()), pass, port, slot);
                Place { slot, view: View::contiguous(shape) }
            }
            Op::Reshape(_) => {
                let source = self.place(node.inputs[0]);
                match source.view.reshape(shape) {
                    Some(view) => Place { view, ..source },
                    None => self.reshaped_copy(node.inputs[0], &source.view, shape),
                }
            }
            op => {
                let source = self.place(node.inputs[0]);
                let view = match op {
                    Op::Transpose(op) => source.view.transpose(&op.permutation),
                    Op::Broadcast(op) => source.view.broadcast(shape, &op.axes),
                    Op::Slice(op) => source.view.slice(op, shape),
                    Op::Reverse(op) => source.view.reverse(&op.axes),
                    Op::OptimizationBarrier(_) => source.view,
                    op => unreachable!("{op:?} is computed before it is read"),
                };
                Place { view, ..source }
            }
        };
        self.places.insert(port, place.clone());
        place
    }

    /// A copy of a value in another shape. The channels of repeated images that are neighbours stay neighbours.
    fn reshaped_copy(&mut self, port: Port, source: &View, shape: &Shape) -> Place {
        let (rank, is_repeated) = (source.shape.len(), source.strides.contains(&0));
        if rank > 3 && is_repeated && source.strides[1] == 1 && source.shape[1] > 1 {
            let order = Order::channels_last(rank);
            if let Some(view) = order.view(&source.shape).reshape(shape) {
                return Place { slot: self.ordered(port, &order), view };
            }
        }
        Place { slot: self.contiguous(port), view: View::contiguous(shape) }
    }

    /// The block in which the elements are row-major from the start.
    fn contiguous(&mut self, port: Port) -> usize {
        self.ordered(port, &Order::row_major(self.graph.spec(port).shape.rank()))
    }

    /// The block that the elements fill in an order.
    fn ordered(&mut self, port: Port, order: &Order) -> usize {
        let key = (port, order.clone());
        if let Some(&slot) = self.copies.get(&key) {
            return slot;
        }
        let place = self.place(port);
        if order.apply(&place.view).is_contiguous() {
            return place.slot;
        }
        let spec = self.graph.spec(port).clone();
        let storage = self.storage_for(port, order);
        let slot = self.copy(&place, &spec, order, storage);
        self.copies.insert(key, slot);
        slot
    }

    /// Copies elements to a block of their own.
    fn copy(&mut self, place: &Place, spec: &Spec, order: &Order, storage: Storage) -> usize {
        let transposition = order.apply(&place.view).transposition();
        if let Some(kernel) = transposition.and_then(|transposition| transpose::kernel(spec.dtype, transposition)) {
            let slot = self.new_slot(storage, spec);
            let read =
                Read { slot: place.slot, offset: place.view.offset as usize * spec.dtype.size(), in_step: false };
            self.steps.push(Step::new(Origin::Copy(spec.clone()), kernel, vec![read], vec![slot]));
            return slot;
        }
        let mut pass = Pass::new(&spec.shape, order.clone());
        let anything = Port { node: usize::MAX, output: 0 };
        pass.load(anything, spec.dtype, place.slot, &place.view);
        let slot = self.new_slot(storage, spec);
        self.finish_pass(Origin::Copy(spec.clone()), pass, anything, slot);
        slot
    }

    fn finish_pass(&mut self, origin: Origin, mut pass: Pass, port: Port, slot: usize) {
        pass.store(port, slot);
        self.steps.push(Step::new(origin, Box::new(pass.program.compile()), pass.reads, pass.writes));
    }

    fn lower(&mut self, index: usize, group: &Group) {
        let origin = Origin::Group(index);
        let Some(anchor) = group.anchor else {
            let last = *group.elementwise.last().expect("a group is not empty");
            let shape = &self.graph.nodes[last].outputs[0].shape;
            let mut pass = Pass::new(shape, self.order_of(group, shape));
            self.elementwise(&mut pass, &group.elementwise);
            if !pass.writes.is_empty() {
                self.steps.push(Step::new(origin, Box::new(pass.program.compile()), pass.reads, pass.writes));
            }
            return;
        };
        let node = &self.graph.nodes[anchor];
        match &node.op {
            Op::Reduce(op) => self.reduce(origin, op, anchor, group),
            _ => self.kernel(index, anchor, group),
        }
    }

    fn reduce(&mut self, origin: Origin, op: &Reduce, node: usize, group: &Group) {
        let source = self.graph.nodes[node].inputs[0];
        let spec = self.graph.spec(source);
        let order = self.order_of(group, &spec.shape);
        let mut pass = Pass::new(&spec.shape, order.clone());
        self.elementwise(&mut pass, &group.elementwise);
        self.load(&mut pass, source);
        let reduced: Vec<bool> = (0..spec.shape.rank()).map(|axis| op.axes.contains(&axis)).collect();
        let reduce = ReduceProgram {
            source: pass.register(source).expect("just loaded"),
            program: pass.program,
            reduction: op.reduction,
            reduced: order.sorted(&reduced),
            dtype: spec.dtype,
        };
        let mut writes = pass.writes;
        writes.push(self.slot_for(Port { node, output: 0 }, &order.without(&op.axes)));
        self.steps.push(Step::new(origin, Box::new(reduce.compile()), pass.reads, writes));
    }

    /// The order of a pass over a shape: the first one that an operand of that shape has, beside row-major. Operands are also
    /// those of what is made again in the pass.
    fn order_of(&mut self, group: &Group, shape: &Shape) -> Order {
        let anchor = group.anchor.iter().filter(|&&node| Role::of(&self.graph.nodes[node].op) == Role::Reduce);
        let nodes: Vec<usize> = group.elementwise.iter().chain(anchor).copied().collect();
        let graph = self.graph;
        let inputs = |node: usize| graph.nodes[node].inputs.iter().rev().copied();
        let mut pending: Vec<Port> = nodes.iter().rev().flat_map(|&node| inputs(node)).collect();
        let mut seen: HashSet<usize> = nodes.iter().copied().collect();
        while let Some(port) = pending.pop() {
            if self.graph.spec(port).shape != *shape || seen.contains(&port.node) {
                continue;
            }
            match Role::of(self.op(port)) {
                Role::Elementwise if !self.stored.contains(&port) => {
                    seen.insert(port.node);
                    pending.extend(inputs(port.node));
                }
                Role::Source if !self.places.contains_key(&port) => {}
                _ => {
                    if let Some(order) = Order::of(&self.place(port).view).filter(|order| !order.is_row_major()) {
                        return order;
                    }
                }
            }
        }
        Order::row_major(shape.rank())
    }

    fn op(&self, port: Port) -> &'g Op {
        &self.graph.nodes[port.node].op
    }

    /// The element-wise operations of a group, with all that they read and what others read of them.
    fn elementwise(&mut self, pass: &mut Pass, elementwise: &[usize]) {
        for &index in elementwise {
            let node = &self.graph.nodes[index];
            node.inputs.iter().for_each(|&input| self.load(pass, input));
            pass.compute(index, node);
        }
        for &node in elementwise {
            let port = Port { node, output: 0 };
            if self.stored.contains(&port) {
                let slot = self.slot_for(port, &pass.order);
                pass.store(port, slot);
            }
        }
    }

    fn load(&mut self, pass: &mut Pass, port: Port) {
        if pass.register(port).is_some() {
            return;
        }
        match &self.graph.nodes[port.node].op {
            op @ (Op::Constant(_) | Op::Iota(_)) => pass.make(port, op),
            op if Role::of(op) == Role::Elementwise && !self.stored.contains(&port) => {
                let node = &self.graph.nodes[port.node];
                node.inputs.iter().for_each(|&input| self.load(pass, input));
                pass.compute(port.node, node);
            }
            _ => {
                let Place { slot, view } = self.place(port);
                pass.load(port, self.graph.spec(port).dtype, slot, &view);
            }
        }
    }

    fn kernel(&mut self, index: usize, anchor: usize, group: &Group) {
        let origin = Origin::Group(index);
        let node = &self.graph.nodes[anchor];
        if self.places.contains_key(&Port { node: anchor, output: 0 }) {
            // Its parts were written where they belong.
            return;
        }
        let (mut step, results, done) = match &node.op {
            Op::DotGeneral(op) => self.product(origin, op, anchor, group),
            op => {
                let (step, results) = self.operation(origin, op, anchor);
                (step, results, vec![])
            }
        };
        for (port, order) in &results {
            let slot = self.places.get(port).map(|place| place.slot).unwrap_or_else(|| self.slot_for(*port, order));
            step.writes.push(slot);
        }
        let (first, order) = &results[0];
        let left: Vec<usize> = group.elementwise.iter().copied().filter(|node| !done.contains(node)).collect();
        let following = if left.is_empty() { None } else { self.following(&mut step, index, *first, order, &left) };
        self.steps.push(step);
        self.steps.extend(following);
        if let Some(node) = group.beside.filter(|&node| results.iter().all(|(port, _)| port.node != node))
            && let Op::Reduce(op) = &self.graph.nodes[node].op
        {
            self.reduce(Origin::Beside(index), op, node, &Group::default());
        }
    }

    /// The step of an operation with a kernel of its own, and its results with the orders in which they are written.
    fn operation(&mut self, origin: Origin, op: &Op, node: usize) -> (Step, Vec<(Port, Order)>) {
        let GraphNode { inputs, outputs, .. } = &self.graph.nodes[node];
        let row_major = |spec: &Spec| Order::row_major(spec.shape.rank());
        let specs: Vec<Spec> = inputs.iter().map(|&port| self.graph.spec(port).clone()).collect();
        let signature = Signature { inputs: &specs, outputs };
        let mut input_orders: Vec<Order> = specs.iter().map(row_major).collect();
        let mut output_orders: Vec<Order> = outputs.iter().map(row_major).collect();
        let channels_last = channels_last_kernel_for(op, &signature)
            .filter(|kernel| kernel.leads || kernel.inputs.iter().any(|&input| self.is_channels_last(inputs[input])));
        let kernel = match channels_last {
            Some(ChannelsLast { kernel, inputs, outputs: written, .. }) => {
                let order = |spec: &Spec| Order::channels_last(spec.shape.rank());
                inputs.iter().for_each(|&input| input_orders[input] = order(&specs[input]));
                written.iter().for_each(|&output| output_orders[output] = order(&outputs[output]));
                Some(kernel)
            }
            None => control::kernel_for(op, &signature).or_else(|| kernel_for(op, &signature)),
        };
        let mut kernel = kernel.expect("operations without a kernel are decomposed");
        let read = |(input, order): (usize, &Order)| self.read(&mut *kernel, input, inputs[input], order);
        let reads = input_orders.iter().enumerate().map(read).collect();
        self.direct(&mut *kernel, node);
        let results = output_orders.into_iter().enumerate().map(|(output, order)| (Port { node, output }, order));
        (Step::new(origin, kernel, reads, vec![]), results.collect())
    }

    /// Lets the element-wise operations that follow a kernel's first result be the kernel's epilogue; a step of its own if
    /// the kernel takes none.
    fn following(
        &mut self,
        step: &mut Step,
        index: usize,
        result: Port,
        order: &Order,
        elementwise: &[usize],
    ) -> Option<Step> {
        let spec = self.graph.spec(result);
        let mut pass = Pass::new(&spec.shape, order.clone());
        let Place { slot, view } = self.place(result);
        pass.load(result, spec.dtype, slot, &view);
        self.elementwise(&mut pass, elementwise);
        let Pass { program, reads, writes, .. } = pass;
        if writes.is_empty() {
            return None;
        }
        let program = program.compile();
        if step.kernel.takes_epilogue() {
            step.epilogue = Some(Epilogue { program, reads, writes });
            return None;
        }
        // The kernel for row-major operands would have taken it.
        step.origin = Origin::Anchor(index);
        Some(Step::new(Origin::Rest(index), Box::new(program), reads, writes))
    }

    /// Whether the channels of images are neighbours in memory, and not the elements of a row.
    fn is_channels_last(&mut self, port: Port) -> bool {
        let rank = self.graph.spec(port).shape.rank();
        let view = self.place(port).view;
        let order = Order::channels_last(rank.max(2));
        let is_filled = || order.apply(&view).is_contiguous();
        rank > 2 && !view.is_contiguous() && (is_filled() || Order::of(&view).as_ref() == Some(&order))
    }

    /// What a kernel reads of an operand: where it is, if the kernel takes it so, or a copy in an order.
    fn read(&mut self, kernel: &mut dyn Kernel, input: usize, port: Port, order: &Order) -> Read {
        let Place { slot, view } = self.place(port);
        let strided = Strided { operand: input, offset: 0, strides: view.strides.clone() };
        if order.is_row_major() && !view.is_contiguous() && view.offset >= 0 && kernel.read_strided(&strided) {
            let offset = view.offset as usize * self.graph.spec(port).dtype.size();
            return Read { slot, offset, in_step: false };
        }
        Read { slot: self.ordered(port, order), offset: 0, in_step: true }
    }

    /// Lets a kernel write its results where they are wanted, if it can.
    fn direct(&mut self, kernel: &mut dyn Kernel, node: usize) {
        let Some(destination) = destination(self.graph, node) else { return };
        let part = |(output, view): &(usize, View)| Strided {
            operand: *output,
            offset: view.offset as usize,
            strides: view.strides.clone(),
        };
        if !kernel.write_strided(&destination.parts.iter().map(part).collect::<Vec<_>>()) {
            return;
        }
        let spec = self.graph.spec(destination.whole);
        let slot = match destination.view.is_contiguous() {
            true => self.slot_for(destination.whole, &Order::row_major(spec.shape.rank())),
            false => self.new_slot(Storage::Arena, spec),
        };
        self.places.insert(destination.whole, Place { slot, view: destination.view });
        for (output, view) in destination.parts {
            self.places.insert(Port { node, output }, Place { slot, view });
        }
    }

    /// Copies what is still to be an output to its place.
    fn finish(mut self) -> Lowered {
        for (index, &port) in self.graph.outputs.iter().enumerate() {
            let (place, spec) = (self.place(port), self.graph.spec(port).clone());
            let order = Order::row_major(spec.shape.rank());
            let is_output = |slot: usize| self.slots[slot].storage == Storage::Output(index);
            let is_copied = self.copies.get(&(port, order.clone())).is_some_and(|&copy| is_output(copy));
            if !(is_copied || is_output(place.slot) && place.view.is_contiguous()) {
                self.copy(&place, &spec, &order, Storage::Output(index));
            }
        }
        Lowered { steps: self.steps, slots: self.slots }
    }
}

/// What a value is in another shape, or itself.
fn reshaped(graph: &Graph, mut port: Port) -> Port {
    while matches!(graph.nodes[port.node].op, Op::Reshape(_)) {
        port = graph.nodes[port.node].inputs[0];
    }
    port
}

/// Which element-wise results are kept in memory: those that are outputs or read by other passes, through views or
/// not, and are not made again there.
pub(super) fn kept(graph: &Graph, groups: &[Group]) -> HashSet<Port> {
    let all = stored(graph, groups, |_| false);
    let recomputed = recomputed(graph, groups, &all);
    stored(graph, groups, |port| recomputed.contains(&port.node) || !all.contains(&port))
}

/// What is read outside of its pass, if the element-wise results for which `is_recomputed` is true are made again
/// by those that read them.
fn stored(graph: &Graph, groups: &[Group], is_recomputed: impl Fn(Port) -> bool) -> HashSet<Port> {
    let mut group_of = vec![usize::MAX; graph.nodes.len()];
    for (index, group) in groups.iter().enumerate() {
        group.elementwise.iter().chain(&group.anchor).chain(&group.beside).for_each(|&node| group_of[node] = index);
    }
    let root = |port: Port| root(graph, port);
    let mut stored: HashSet<Port> = graph.outputs.iter().map(|&port| root(port)).collect();
    for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| Role::of(&node.op) != Role::View) {
        let mut pending: Vec<Port> = node.inputs.iter().map(|&port| root(port)).collect();
        while let Some(port) = pending.pop() {
            let source = &graph.nodes[port.node];
            if group_of[port.node] == group_of[index] {
                continue;
            }
            if Role::of(&source.op) == Role::Elementwise && is_recomputed(port) {
                pending.extend(source.inputs.iter().map(|&port| root(port)));
            } else {
                stored.insert(port);
            }
        }
    }
    stored
}
