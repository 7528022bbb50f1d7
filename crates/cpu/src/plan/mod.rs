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
mod workspace;

use std::fmt;

use gyrus_graph::{Graph, GraphNode, Op, Spec};

use self::fuse::{Group, Kernels, Role, fuse};
use self::lower::{Lowered, Slot, Storage, lower, sums_rows};
use self::memory::{Lifetime, arrange};
use self::overlap::Overlap;
use self::run::Addresses;
use self::schedule::schedule;
use self::step::Step;
pub use self::summary::{StepSummary, Work};
use self::workspace::Workspace;
use crate::kernel::{Prepared, Signature};
use crate::kernels::registry::{channels_last_kernel_for, kernel_for};
use crate::passes::{decompose, simplify, sparse_updates};
use crate::pool::Pool;

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
    /// What kernels can prepare of inputs that stay the same, and for each step which of it it reads.
    prepared: Vec<PreparedInput>,
    reads_prepared: Vec<Option<usize>>,
    overlap: Overlap,
    /// For each step which of the working memories it has.
    colours: Vec<usize>,
    /// Where the arena is in a run, followed by working memories, each for the hungriest of its steps.
    workspace: Workspace,
    addresses: Addresses,
}

/// What kernels can make of an input before runs in which it stays the same.
pub struct PreparedInput {
    /// Which one.
    pub input: usize,
    /// What is made of it; the same for plans that name the same form.
    pub form: String,
    /// How many bytes that takes.
    pub bytes: usize,
    /// A step whose kernel does, of which operand.
    step: usize,
    operand: usize,
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
        let (workspace, addresses, colours) = (Workspace::default(), Addresses::default(), overlap.colours());
        let (prepared, reads_prepared) = (vec![], vec![None; steps.len()]);
        Plan {
            graph,
            groups,
            steps,
            slots,
            offsets,
            arena_bytes,
            prepared,
            reads_prepared,
            overlap,
            colours,
            workspace,
            addresses,
        }
    }

    /// Lets kernels read what was prepared of those of `inputs` (numbers of inputs that stay the same from run to run) that
    /// they can prepare, in the order of the inputs: [`Plan::run`] is given it after the inputs.
    pub fn prepare_inputs(&mut self, inputs: &[usize]) -> &[PreparedInput] {
        let found = self.steps.iter().enumerate().filter_map(|(index, step)| {
            let Prepared { operand, bytes, form } = step.kernel.prepared()?;
            let read = step.reads[operand];
            match self.slots[read.slot].storage {
                Storage::Input(input) if inputs.contains(&input) => {
                    let form = format!("{form}, from byte {}", read.offset);
                    Some(PreparedInput { input, form, bytes, step: index, operand })
                }
                _ => None,
            }
        });
        let mut found: Vec<PreparedInput> = found.collect();
        found.sort_by_key(|prepared| prepared.input);
        self.prepared.clear();
        for prepared in found {
            let is_it = |other: &PreparedInput| (other.input, &other.form) == (prepared.input, &prepared.form);
            let number = self.prepared.iter().position(is_it).unwrap_or(self.prepared.len());
            self.reads_prepared[prepared.step] = Some(number);
            if number == self.prepared.len() {
                self.prepared.push(prepared);
            }
        }
        &self.prepared
    }

    /// Prepares an input: the one of this number among what [`Plan::prepare_inputs`] returns.
    ///
    /// # Safety
    /// It is at `input`, and there is room at `to`, which is aligned to 64 bytes.
    pub unsafe fn prepare(&self, number: usize, input: *const u8, to: *mut u8, pool: &Pool) {
        let PreparedInput { step, operand, .. } = self.prepared[number];
        let step = &self.steps[step];
        // SAFETY: the operand is a part of the input.
        unsafe { step.kernel.prepare(input.add(step.reads[operand].offset), to, pool) }
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
