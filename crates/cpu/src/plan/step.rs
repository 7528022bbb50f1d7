//! What a plan does, one thing after another.

use gyrus_graph::Spec;

use crate::kernel::{Kernel, Run};
use crate::kernels::elementwise::CompiledProgram;
use crate::kernels::gemm::{Addend, Arguments, CompiledGemm};
use crate::kernels::reduce::CompiledReduce;
use crate::pool::{Pool, ScratchSize};

/// Something that a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The block of memory.
    pub(super) slot: usize,
    /// How many bytes after its beginning.
    pub(super) offset: usize,
    /// Whether each element is read for the results at the same place.
    pub(super) in_step: bool,
}

/// Where a step comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A group of the graph's operations, by its number.
    Group(usize),
    /// The kernel of a group alone, and what follows it in the group, as a pass of its own.
    Anchor(usize),
    Rest(usize),
    /// What a group computes beside its kernel, by a pass of its own.
    Beside(usize),
    /// A value is written elsewhere, or in another order.
    Copy(Spec),
    /// A constant or count is written, for a kernel that wants it in memory.
    Fill(Spec),
}

/// One kernel with its operands.
pub(super) struct Step {
    pub(super) origin: Origin,
    pub(super) kernel: Box<dyn Kernel>,
    pub(super) reads: Vec<Read>,
    pub(super) writes: Vec<usize>,
    pub(super) epilogue: Option<Epilogue>,
}

/// What follows on each finished region of a kernel's first result, which is the program's first input.
pub(super) struct Epilogue {
    pub(super) program: CompiledProgram,
    pub(super) reads: Vec<Read>,
    pub(super) writes: Vec<usize>,
}

impl Step {
    pub(super) fn new(origin: Origin, kernel: Box<dyn Kernel>, reads: Vec<Read>, writes: Vec<usize>) -> Self {
        Step { origin, kernel, reads, writes, epilogue: None }
    }

    pub(super) fn all_reads(&self) -> impl Iterator<Item = &Read> {
        self.reads.iter().chain(self.epilogue.iter().flat_map(|epilogue| &epilogue.reads))
    }

    pub(super) fn all_writes(&self) -> impl Iterator<Item = usize> {
        self.writes.iter().chain(self.epilogue.iter().flat_map(|epilogue| &epilogue.writes)).copied()
    }

    /// Whether the block `written` may be the very memory of the block `read`.
    pub(super) fn may_share(&self, read: usize, written: usize) -> bool {
        let is_it = |operand: &&Read| operand.slot == read;
        let by_epilogue = self.epilogue.iter().flat_map(|epilogue| &epilogue.reads).filter(is_it);
        match self.writes.iter().position(|&slot| slot == written) {
            // The epilogue would read what the kernel has overwritten.
            Some(output) => {
                let may_share = |(input, operand): (usize, &Read)| {
                    operand.slot != read || operand.in_step && self.kernel.in_place(input, output)
                };
                by_epilogue.count() == 0 && self.reads.iter().enumerate().all(may_share)
            }
            // The kernel still reads while the epilogue writes.
            None => {
                !self.reads.iter().any(|operand| operand.slot == read) && by_epilogue.into_iter().all(|r| r.in_step)
            }
        }
    }

    /// Lets every operand in one block of memory be in another.
    pub(super) fn rename(&mut self, new_name: impl Fn(usize) -> usize) {
        let epilogue = self.epilogue.iter_mut();
        let (mut reads, mut writes) = (vec![&mut self.reads], vec![&mut self.writes]);
        for Epilogue { reads: more_reads, writes: more_writes, .. } in epilogue {
            reads.push(more_reads);
            writes.push(more_writes);
        }
        reads.into_iter().flatten().for_each(|read| read.slot = new_name(read.slot));
        writes.into_iter().flatten().for_each(|slot| *slot = new_name(*slot));
    }
}

impl Kernel for CompiledProgram {
    fn scratch(&self) -> ScratchSize {
        CompiledProgram::scratch(self)
    }

    fn in_place(&self, _input: usize, _output: usize) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        // SAFETY: a pass is made for operands as `Run` states them.
        unsafe { CompiledProgram::run(self, run.inputs, run.outputs, &run.scratch, run.pool) }
    }
}

/// Its last output is the reduction's result.
impl Kernel for CompiledReduce {
    fn scratch(&self) -> ScratchSize {
        CompiledReduce::scratch(self)
    }

    fn in_place(&self, _input: usize, output: usize) -> bool {
        output < self.num_stored()
    }

    unsafe fn run(&self, run: &Run) {
        let (&result, outputs) = run.outputs.split_last().expect("a reduction has a result");
        // SAFETY: as for a pass.
        unsafe { CompiledReduce::run(self, run.inputs, outputs, result, &run.scratch, run.pool) }
    }
}

/// A general product of strided operands, and what is added to it.
pub(super) struct Product {
    pub(super) gemm: CompiledGemm,
    /// Distances between the rows of what is added.
    pub(super) added: Vec<isize>,
    /// Whether the second result are the sums of the left operand's rows.
    pub(super) sums_rows: bool,
}

impl Kernel for Product {
    fn scratch(&self) -> ScratchSize {
        self.gemm.scratch()
    }

    /// What is added is read before the result is written.
    fn in_place(&self, input: usize, output: usize) -> bool {
        input >= 2 && output == 0
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn prepared(&self) -> Option<(usize, usize)> {
        self.gemm.packed_bytes().map(|bytes| (1, bytes))
    }

    unsafe fn prepare(&self, operand: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: as the caller vouches.
        unsafe { self.gemm.pack(operand, to, pool) }
    }

    unsafe fn run(&self, run: &Run) {
        let Run { inputs, outputs, scratch, pool, epilogue } = run;
        let mut arguments = Arguments::new(inputs[0], inputs[1], outputs[0]);
        let (more, prepared) = inputs[2..].split_at(self.added.len());
        for ((added, &from), &row_stride) in arguments.added.iter_mut().zip(more).zip(&self.added) {
            *added = Addend { from, row_stride };
        }
        if self.sums_rows {
            arguments.row_sums = outputs[1];
        }
        if let [prepared] = *prepared {
            arguments.packed = prepared;
        }
        // SAFETY: the strides were computed from the operands' views.
        unsafe { self.gemm.run(&arguments, scratch, pool, *epilogue) }
    }
}
