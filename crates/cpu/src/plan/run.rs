//! Running a plan.

use std::ops::Range;

use super::Plan;
use super::lower::Storage;
use super::step::{Read, Step};
use super::workspace::Taken;
use crate::kernel::Run;
use crate::kernels::elementwise::BoundProgram;
use crate::kernels::gemm::Epilogue;
use crate::pool::{Needs, Pool, Scratch, ScratchSize, Walk};

/// Where the operands and results of all steps are; kept so that a run does not allocate.
#[derive(Default)]
pub(super) struct Addresses {
    /// Of blocks of memory.
    slots: Vec<*mut u8>,
    read: Vec<*const u8>,
    written: Vec<*mut u8>,
    steps: Vec<OfStep>,
    /// Where working memories begin, after the arena's beginning.
    working: Vec<usize>,
}

/// Which addresses are a step's, and where its working memory is.
struct OfStep {
    reads: Range<usize>,
    writes: Range<usize>,
    epilogue_reads: Range<usize>,
    epilogue_writes: Range<usize>,
    working: *mut u8,
}

// SAFETY: the addresses are set anew in each run, and used only within it.
unsafe impl Send for Addresses {}

/// The working memory of a step.
fn scratch_bytes(step: &Step, num_threads: usize) -> usize {
    let epilogue = step.epilogue.as_ref().map_or(ScratchSize::default(), |epilogue| epilogue.program.scratch());
    step.kernel.scratch().total(num_threads) + epilogue.total(num_threads)
}

impl Plan {
    /// Finds out where everything is.
    ///
    /// # Safety
    /// As for [`Plan::run`].
    unsafe fn begin<'a>(&'a mut self, inputs: &[*const u8], outputs: &[*mut u8], pool: &'a Pool) -> Running<'a> {
        let num_threads = pool.num_threads();
        let num_colours = self.colours.iter().max().map_or(0, |most| most + 1);
        let mut bytes = self.arena_bytes;
        self.addresses.working.clear();
        for colour in 0..num_colours {
            self.addresses.working.push(bytes);
            let steps = self.steps.iter().zip(&self.colours).filter(|&(_, &other)| other == colour);
            bytes += steps.map(|(step, _)| scratch_bytes(step, num_threads)).max().unwrap_or(0).next_multiple_of(64);
        }
        let mut memory = self.workspace.take(bytes);
        let arena = memory.start();
        let Addresses { slots, read, written, steps, working } = &mut self.addresses;
        slots.clear();
        slots.extend(self.slots.iter().zip(&self.offsets).map(|(slot, &offset)| match slot.storage {
            Storage::Input(input) => inputs[input].cast_mut(),
            Storage::Output(output) => outputs[output],
            // SAFETY: the arena was arranged so.
            Storage::Arena => unsafe { arena.add(offset) },
        }));
        read.clear();
        written.clear();
        steps.clear();
        let prepared = &inputs[self.graph.inputs.len()..];
        for ((step, number), &colour) in self.steps.iter().zip(&self.reads_prepared).zip(&self.colours) {
            // SAFETY: offsets are within the blocks that they refer to.
            let place = |read: &Read| unsafe { slots[read.slot].cast_const().add(read.offset) };
            let (first_read, first_written) = (read.len(), written.len());
            read.extend(step.reads.iter().map(place));
            read.extend(number.map(|number| prepared[number]));
            written.extend(step.writes.iter().map(|&slot| slots[slot]));
            let (reads, writes) = (first_read..read.len(), first_written..written.len());
            let epilogue = step.epilogue.iter();
            read.extend(epilogue.clone().flat_map(|epilogue| &epilogue.reads).map(place));
            written.extend(epilogue.flat_map(|epilogue| &epilogue.writes).map(|&slot| slots[slot]));
            let (epilogue_reads, epilogue_writes) = (reads.end..read.len(), writes.end..written.len());
            // SAFETY: the memory has room for all.
            let working = unsafe { arena.add(working[colour]) };
            steps.push(OfStep { reads, writes, epilogue_reads, epilogue_writes, working });
        }
        Running { plan: self, pool, num_threads, _memory: memory }
    }

    /// Computes the outputs.
    ///
    /// # Safety
    /// `inputs` and `outputs` are the addresses, aligned to 64 bytes, of arrays of the specifications of
    /// the graph's inputs and outputs. They do not overlap, but for donated pairs. After the inputs comes what was
    /// [prepared](Plan::prepare) of them, all that [`Plan::prepare_inputs`] returns.
    pub unsafe fn run(&mut self, inputs: &[*const u8], outputs: &[*mut u8], pool: &Pool) {
        // SAFETY: as the caller vouches.
        let running = unsafe { self.begin(inputs, outputs, pool) };
        let steps = &running.plan.steps;
        let mut first = 0;
        while first < steps.len() {
            let count = steps[first..].iter().take_while(|step| step.kernel.is_shared()).count().max(1);
            running.run(first..first + count);
            first += count;
        }
    }

    /// Computes the outputs, each step when the one before is complete, and calls `observe` before the first step, between
    /// steps and after the last.
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
        let running = unsafe { self.begin(inputs, outputs, pool) };
        for step in 0..running.plan.steps.len() {
            observe();
            running.run(step..step + 1);
        }
        observe();
    }
}

/// A plan with the addresses of a run.
struct Running<'a> {
    plan: &'a Plan,
    pool: &'a Pool,
    /// For how many threads there is memory.
    num_threads: usize,
    _memory: Taken,
}

// SAFETY: the addresses are only read, and kernels of which threads run one together write where only one task does.
unsafe impl Sync for Running<'_> {}

impl Running<'_> {
    /// Runs steps: one, or such that threads go through together.
    fn run(&self, steps: Range<usize>) {
        if self.plan.steps[steps.start].kernel.is_shared() {
            self.pool.walk(&Together { running: self, steps });
        } else {
            self.step(steps.start);
        }
    }

    fn step(&self, index: usize) {
        let (step, Addresses { read, written, steps, .. }) = (&self.plan.steps[index], &self.plan.addresses);
        let OfStep { reads, writes, epilogue_reads, epilogue_writes, working } = &steps[index];
        let size = step.kernel.scratch();
        let scratch = Scratch::new(*working, &size);
        let run = |epilogue| {
            let (inputs, outputs) = (&read[reads.clone()], &written[writes.clone()]);
            let run = Run { inputs, outputs, scratch, pool: self.pool, epilogue };
            // SAFETY: the operands are those that the kernel was made for; blocks that are in use at
            // the same time do not overlap, but where the kernel allows it.
            unsafe { step.kernel.run(&run) }
        };
        let Some(epilogue) = &step.epilogue else { return run(None) };
        debug_assert!(step.kernel.takes_epilogue(), "an epilogue that nobody would run");
        let (read, written) = (&read[epilogue_reads.clone()], &written[epilogue_writes.clone()]);
        // SAFETY: there is room for the working memory of both; the rest as above.
        let bound = unsafe {
            let scratch = Scratch::new(working.add(size.total(self.num_threads)), &epilogue.program.scratch());
            BoundProgram::new(&epilogue.program, read, written, scratch)
        };
        run(Some(&bound as &dyn Epilogue));
    }
}

/// Steps that threads go through together.
struct Together<'a> {
    running: &'a Running<'a>,
    steps: Range<usize>,
}

impl Walk for Together<'_> {
    fn num_steps(&self) -> usize {
        self.steps.len()
    }

    fn step(&self, step: usize) {
        self.running.step(self.steps.start + step);
    }

    fn max_threads(&self) -> usize {
        self.running.num_threads
    }

    fn needs(&self, step: usize, distance: usize) -> Needs {
        self.running.plan.overlap.needs(self.steps.start + step, distance)
    }
}
