//! From a graph to steps over one arena of memory.
//!
//! A graph is simplified ([`crate::passes`]), its operations are grouped into passes over memory
//! ([`fuse`]), the groups become steps on blocks of memory ([`lower`]), results take over the memory of
//! what they are made from where that is safe ([`in_place`]), and the rest is arranged in one arena
//! ([`memory`]). Threads go through the steps together, and need not wait between them where these do not
//! depend on each other ([`overlap`]). Running a plan allocates nothing.

mod control;
mod destination;
mod fuse;
mod in_place;
mod lower;
mod memory;
mod order;
mod overlap;
mod pass;
mod recompute;
mod run;
mod schedule;
mod step;
mod summary;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;

use gyrus_graph::{Buffer, Graph, GraphNode, Op, Spec};

use self::fuse::{Group, Kernels, Role, fuse};
use self::lower::{Lowered, Slot, Storage, lower, sums_rows};
use self::memory::{Lifetime, arrange};
use self::overlap::Overlap;
use self::run::Addresses;
use self::schedule::schedule;
use self::step::Step;
pub use self::summary::{StepSummary, Work};
use crate::kernel::Signature;
use crate::kernels::registry::{channels_last_kernel_for, kernel_for};
use crate::passes::{decompose, simplify, sparse_updates};

/// How a graph is computed.
pub struct Plan {
    /// What is computed, and its operations in the groups that run together: for those who look at plans.
    graph: Graph,
    groups: Vec<Group>,
    steps: Vec<Step>,
    slots: Vec<Slot>,
    /// Where in the arena each block of the plan's own is.
    offsets: Vec<usize>,
    arena_bytes: usize,
    /// What kernels have prepared of inputs that stay the same, and whether it is up to date.
    kept: Kept,
    overlap: Overlap,
    /// For each step which of the working memories it has.
    colours: Vec<usize>,
    /// The arena, followed by working memories, each for the hungriest of its steps.
    memory: Buffer,
    addresses: Addresses,
}

/// Operands that were prepared, and stay so until inputs change.
#[derive(Default)]
struct Kept {
    /// For each step the prepared operand: which input of the graph it is, and where it is kept.
    operands: Vec<Option<(usize, usize)>>,
    bytes: usize,
    memory: Option<Buffer>,
    is_current: bool,
}

impl Plan {
    /// Plans a graph. `donated` are pairs of an input and an output of the same type that may be given
    /// the same memory when the plan is run.
    pub fn new(graph: &Graph, donated: &[(usize, usize)]) -> Plan {
        let graph = sparse_updates(&simplify(&decompose(&simplify(graph), &is_supported)));
        let groups = fuse(&graph, &Registered(&graph), &writers(&graph, donated));
        let mut lowered = lower(&graph, &groups);
        in_place::guard_donations(&mut lowered, donated);
        schedule(&mut lowered, donated);
        in_place::share_memory(&mut lowered, donated);
        let overlap = Overlap::new(&lowered, donated);
        Plan::arranged(graph, groups, lowered, overlap)
    }

    fn arranged(graph: Graph, groups: Vec<Group>, lowered: Lowered, overlap: Overlap) -> Plan {
        let mut uses = in_place::uses(&lowered);
        // A block is in use as long as one of those steps may be in progress.
        for (index, step) in lowered.steps.iter().enumerate() {
            let last = overlap.last_beside(index);
            for slot in step.slots() {
                uses.entry(slot).and_modify(|(_, end)| *end = last.max(*end));
            }
        }
        let Lowered { steps, slots } = lowered;
        let own: Vec<usize> =
            (0..slots.len()).filter(|slot| slots[*slot].storage == Storage::Arena && uses.contains_key(slot)).collect();
        let lifetime = |slot: &usize| {
            let (first, last) = uses[slot];
            Lifetime { bytes: slots[*slot].bytes, first, last }
        };
        let (places, arena_bytes) = arrange(&own.iter().map(lifetime).collect::<Vec<_>>());
        let mut offsets = vec![0; slots.len()];
        own.iter().zip(places).for_each(|(&slot, place)| offsets[slot] = place);
        let (memory, addresses, colours) = (Buffer::zeroed(0), Addresses::default(), overlap.colours());
        let kept = Kept { operands: vec![None; steps.len()], ..Kept::default() };
        Plan { graph, groups, steps, slots, offsets, arena_bytes, kept, overlap, colours, memory, addresses }
    }

    /// Lets kernels prepare those of `inputs`, numbers of inputs that stay the same from run to run, once for many
    /// runs: until [`Plan::inputs_changed`] is called. Returns which ones kernels do prepare.
    pub fn prepare_inputs(&mut self, inputs: &[usize]) -> Vec<usize> {
        for (step, kept) in self.steps.iter().zip(&mut self.kept.operands) {
            let Some((operand, bytes)) = step.kernel.prepared() else { continue };
            let read = step.reads[operand];
            match self.slots[read.slot].storage {
                Storage::Input(input) if read.offset == 0 && inputs.contains(&input) => {
                    *kept = Some((input, self.kept.bytes));
                    self.kept.bytes += bytes.next_multiple_of(64);
                }
                _ => {}
            }
        }
        self.kept.operands.iter().flatten().map(|&(input, _)| input).collect()
    }

    /// Says that inputs which were to stay the same have changed.
    pub fn inputs_changed(&mut self) {
        self.kept.is_current = false;
    }

    /// How many bytes the plan needs for intermediate results.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// How many steps it has.
    pub fn num_steps(&self) -> usize {
        self.steps.len()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} steps, arena of {} bytes", self.steps.len(), self.arena_bytes)?;
        for (step, summary) in self.steps.iter().zip(self.summaries()) {
            write!(
                f,
                "{} {}: {:?} -> {:?}",
                summary.operations,
                summary.shapes,
                step.reads.iter().map(|read| read.slot).collect::<Vec<_>>(),
                step.writes
            )?;
            if let Some(epilogue) = &step.epilogue {
                let reads: Vec<usize> = epilogue.reads.iter().map(|read| read.slot).collect();
                write!(f, "; then {reads:?} -> {:?}", epilogue.writes)?;
            }
            writeln!(f)?;
        }
        for (index, slot) in self.slots.iter().enumerate() {
            writeln!(f, "  {index}: {:?}, {} bytes", slot.storage, slot.bytes)?;
        }
        Ok(())
    }
}

/// Whether an operation can be planned as it is.
fn is_supported(graph: &Graph, node: &GraphNode) -> bool {
    let known = matches!(node.op, Op::DotGeneral(_) | Op::Scan(_) | Op::WhileLoop(_));
    Role::of(&node.op) != Role::Kernel || known || {
        let specs: Vec<Spec> = node.inputs.iter().map(|&port| graph.spec(port).clone()).collect();
        kernel_for(&node.op, &Signature { inputs: &specs, outputs: &node.outputs }).is_some()
    }
}

/// The kernels that a graph's operations will have.
struct Registered<'g>(&'g Graph);

impl Kernels for Registered<'_> {
    fn takes_epilogue(&self, node: usize) -> bool {
        let node = &self.0.nodes[node];
        let specs: Vec<Spec> = node.inputs.iter().map(|&port| self.0.spec(port).clone()).collect();
        let signature = Signature { inputs: &specs, outputs: &node.outputs };
        // That for images channels last is used wherever it leads; the others depend on what they read.
        let leading = channels_last_kernel_for(&node.op, &signature).filter(|kernel| kernel.leads);
        let kernel = leading.map(|leading| leading.kernel).or_else(|| kernel_for(&node.op, &signature));
        matches!(node.op, Op::DotGeneral(_)) || kernel.is_some_and(|kernel| kernel.takes_epilogue())
    }

    fn reduces(&self, node: usize, reduction: usize) -> bool {
        sums_rows(self.0, node, reduction)
    }
}

/// For each donated input the node that makes the output that takes its memory.
fn writers(graph: &Graph, donated: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let pair = |&(input, output): &(usize, usize)| (graph.inputs[input], graph.outputs[output].node);
    let is_computed =
        |&(_, writer): &(usize, usize)| !matches!(Role::of(&graph.nodes[writer].op), Role::Source | Role::View);
    donated.iter().map(pair).filter(is_computed).collect()
}
