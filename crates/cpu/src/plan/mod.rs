//! From a graph to steps over one arena of memory.
//!
//! A graph is simplified ([`crate::passes`]), its operations are grouped into passes over memory
//! ([`fuse`]), the groups become steps on blocks of memory ([`lower`]), results take over the memory of
//! what they are made from where that is safe ([`in_place`]), and the rest is arranged in one arena
//! ([`memory`]). Running a plan allocates nothing.

mod control;
mod destination;
mod fuse;
mod in_place;
mod lower;
mod memory;
mod order;
mod pass;
mod recompute;
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
use self::step::Step;
pub use self::summary::{StepSummary, Work};
use crate::kernel::{Run, Signature};
use crate::kernels::elementwise::BoundProgram;
use crate::kernels::gemm::Epilogue;
use crate::kernels::registry::{channels_last_kernel_for, kernel_for};
use crate::passes::{decompose, simplify, sparse_updates};
use crate::pool::{Pool, Scratch, ScratchSize};

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
    /// The arena, followed by working memory for the hungriest step.
    memory: Buffer,
    pointers: Pointers,
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

/// Room for addresses, kept so that a run does not allocate.
#[derive(Default)]
struct Pointers {
    slots: Vec<*mut u8>,
    reads: Vec<*const u8>,
    writes: Vec<*mut u8>,
    epilogue_reads: Vec<*const u8>,
    epilogue_writes: Vec<*mut u8>,
}

// SAFETY: the addresses are set anew in each run, and used only within it.
unsafe impl Send for Pointers {}

impl Plan {
    /// Plans a graph. `donated` are pairs of an input and an output of the same type that may be given
    /// the same memory when the plan is run.
    pub fn new(graph: &Graph, donated: &[(usize, usize)]) -> Plan {
        let graph = sparse_updates(&simplify(&decompose(&simplify(graph), &is_supported)));
        let groups = fuse(&graph, &Registered(&graph), &writers(&graph, donated));
        let mut lowered = lower(&graph, &groups);
        in_place::guard_donations(&mut lowered, donated);
        in_place::share_memory(&mut lowered, donated);
        Plan::arranged(graph, groups, lowered)
    }

    fn arranged(graph: Graph, groups: Vec<Group>, lowered: Lowered) -> Plan {
        let uses = in_place::uses(&lowered);
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
        let (memory, pointers) = (Buffer::zeroed(0), Pointers::default());
        let kept = Kept { operands: vec![None; steps.len()], ..Kept::default() };
        Plan { graph, groups, steps, slots, offsets, arena_bytes, kept, memory, pointers }
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

    /// Prepares inputs again if they have changed; where what is prepared begins.
    ///
    /// # Safety
    /// As for [`Plan::run`].
    unsafe fn prepare(&mut self, inputs: &[*const u8], pool: &Pool) -> *const u8 {
        let Kept { operands, bytes, memory, is_current } = &mut self.kept;
        if *bytes == 0 {
            return std::ptr::null();
        }
        let memory = memory.get_or_insert_with(|| Buffer::zeroed(*bytes));
        let start = memory.bytes_mut().expect("the plan's own").as_mut_ptr();
        if !std::mem::replace(is_current, true) {
            for (step, kept) in self.steps.iter().zip(operands) {
                if let Some((input, offset)) = *kept {
                    // SAFETY: the input is the operand that the kernel was made for; there is room for what it prepares.
                    unsafe { step.kernel.prepare(inputs[input], start.add(offset), pool) }
                }
            }
        }
        start
    }

    /// How many bytes the plan needs for intermediate results.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// How many steps it has.
    pub fn num_steps(&self) -> usize {
        self.steps.len()
    }

    /// Computes the outputs.
    ///
    /// # Safety
    /// `inputs` and `outputs` are the addresses, aligned to 64 bytes, of arrays of the specifications of
    /// the graph's inputs and outputs. They do not overlap, but for donated pairs.
    pub unsafe fn run(&mut self, inputs: &[*const u8], outputs: &[*mut u8], pool: &Pool) {
        // SAFETY: as the caller vouches.
        unsafe { self.run_observed(inputs, outputs, pool, || {}) }
    }

    /// Computes the outputs, and calls `observe` before the first step, between steps and after the last.
    ///
    /// # Safety
    /// As for [`Plan::run`].
    pub unsafe fn run_observed(
        &mut self,
        inputs: &[*const u8],
        outputs: &[*mut u8],
        pool: &Pool,
        mut observe: impl FnMut(),
    ) {
        // SAFETY: as the caller vouches.
        let prepared = unsafe { self.prepare(inputs, pool) };
        let num_threads = pool.num_threads();
        let scratch = |step: &Step| {
            let epilogue = step.epilogue.as_ref().map_or(ScratchSize::default(), |e| e.program.scratch());
            step.kernel.scratch().total(num_threads) + epilogue.total(num_threads)
        };
        let bytes = self.arena_bytes + self.steps.iter().map(scratch).max().unwrap_or(0);
        if self.memory.len() < bytes {
            self.memory = Buffer::zeroed(bytes);
        }
        let arena = self.memory.bytes_mut().expect("the plan's own").as_mut_ptr();
        // SAFETY: the memory has room for the arena and any step's working memory.
        let working = unsafe { arena.add(self.arena_bytes) };
        let Pointers { slots, reads, writes, epilogue_reads, epilogue_writes } = &mut self.pointers;
        slots.clear();
        slots.extend(self.slots.iter().zip(&self.offsets).map(|(slot, &offset)| match slot.storage {
            Storage::Input(input) => inputs[input].cast_mut(),
            Storage::Output(output) => outputs[output],
            // SAFETY: the arena was arranged so.
            Storage::Arena => unsafe { arena.add(offset) },
        }));
        for (step, kept) in self.steps.iter().zip(&self.kept.operands) {
            observe();
            // SAFETY: offsets are within the blocks that they refer to.
            let read = |read: &step::Read| unsafe { slots[read.slot].cast_const().add(read.offset) };
            reads.clear();
            reads.extend(step.reads.iter().map(read));
            // SAFETY: it was prepared there.
            reads.extend(kept.map(|(_, offset)| unsafe { prepared.add(offset) }));
            writes.clear();
            writes.extend(step.writes.iter().map(|&slot| slots[slot]));
            let size = step.kernel.scratch();
            let scratch = Scratch::new(working, &size);
            let run = |epilogue| {
                let run = Run { inputs: reads, outputs: writes, scratch, pool, epilogue };
                // SAFETY: the operands are those that the kernel was made for; blocks that are in use at
                // the same time do not overlap, but where the kernel allows it.
                unsafe { step.kernel.run(&run) }
            };
            match &step.epilogue {
                None => run(None),
                Some(epilogue) => {
                    debug_assert!(step.kernel.takes_epilogue(), "an epilogue that nobody would run");
                    epilogue_reads.clear();
                    epilogue_reads.extend(epilogue.reads.iter().map(read));
                    epilogue_writes.clear();
                    epilogue_writes.extend(epilogue.writes.iter().map(|&slot| slots[slot]));
                    // SAFETY: there is room for the working memory of both; the rest as above.
                    let bound = unsafe {
                        let scratch = Scratch::new(working.add(size.total(num_threads)), &epilogue.program.scratch());
                        BoundProgram::new(&epilogue.program, epilogue_reads, epilogue_writes, scratch)
                    };
                    run(Some(&bound as &dyn Epilogue));
                }
            }
        }
        observe();
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
