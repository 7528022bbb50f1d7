//! What a plan does, one thing after another.

use gyrus_graph::Spec;

use super::overlap::Access;
use crate::kernel::{Kernel, Prepared, RowsOf, Run};
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

    /// The blocks that it reads or writes.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> {
        self.all_reads().map(|read| read.slot).chain(self.all_writes())
    }

    /// What it does with blocks of memory. Where there are several kinds of access to one each counts.
    pub(super) fn accesses(&self) -> Vec<Access> {
        let access = |slot, offset, is_written, rows| Access { slot, offset, is_written, rows };
        let kernel = &self.kernel;
        let read =
            self.reads.iter().enumerate().map(|(i, read)| access(read.slot, read.offset, false, kernel.rows_read(i)));
        let written = self.writes.iter().enumerate().map(|(i, &slot)| access(slot, 0, true, kernel.rows_written(i)));
        let mut accesses: Vec<Access> = read.chain(written).collect();
        if let Some(Epilogue { program, reads, writes }) = &self.epilogue {
            // Regions are rows if those of the result are.
            let is_by_rows = kernel.rows_written(0).is_some();
            let rows = |rows: Option<RowsOf>| rows.filter(|_| is_by_rows);
            let read = reads.iter().enumerate();
            accesses.extend(read.map(|(i, read)| access(read.slot, read.offset, false, rows(program.rows_read(i)))));
            let written = writes.iter().enumerate();
            accesses.extend(written.map(|(i, &slot)| access(slot, 0, true, rows(program.rows_written(i)))));
        }
        accesses
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

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        CompiledProgram::rows_read(self, input)
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        CompiledProgram::rows_written(self, output)
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

    fn rows_read(&self, input: usize) -> Option<RowsOf> {
        match input {
            0 | 1 => self.gemm.rows_read(input),
            _ => self.gemm.rows_beside(*self.added.get(input - 2)?),
        }
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        if output == 0 { self.gemm.rows_written() } else { self.gemm.rows_of_sums() }
    }

    /// What is added is read before the result is written.
    fn in_place(&self, input: usize, output: usize) -> bool {
        input >= 2 && output == 0
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn prepared(&self) -> Option<Prepared> {
        let (bytes, form) = self.gemm.packed()?;
        Some(Prepared { operand: 1, bytes, form })
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

#[cfg(test)]
mod tests {
    use gyrus_graph::{Buffer, DType};

    use super::*;
    use crate::kernels::conformance::check_shared;
    use crate::kernels::gemm::{Gemm, Operand};
    use crate::pool::Scratch;

    fn numbers(len: usize) -> Buffer {
        let mut buffer = Buffer::zeroed(4 * len);
        let bytes = buffer.bytes_mut().expect("new");
        bytes.chunks_exact_mut(4).enumerate().for_each(|(i, x)| x.copy_from_slice(&(i as f32 % 17.0).to_le_bytes()));
        buffer
    }

    #[test]
    fn products_by_rows_keep_to_their_rows() {
        let (m, n, k) = (401, 70, 50);
        for (is_transposed, num_added, sums_rows) in
            [(false, 0, false), (true, 1, false), (false, 2, true), (true, 0, true)]
        {
            let b = if is_transposed { Operand::contiguous(n, k).transposed() } else { Operand::contiguous(k, n) };
            let (a, c) = (Operand::contiguous(m, k), Operand::contiguous(m, n));
            let gemm = Gemm { batch: 1, m, n, k, a, b, c, accumulate: false }.compile(DType::F32);
            let product = Product { gemm, added: vec![n as isize; num_added], sums_rows };
            assert_eq!(product.rows_read(0), Some(RowsOf::contiguous(m, 4 * k)));
            assert_eq!(product.rows_read(1), None);
            let sizes = [m * k, k * n].into_iter().chain((0..num_added).map(|_| m * n));
            let inputs: Vec<Buffer> = sizes.map(numbers).collect();
            let mut outputs: Vec<Buffer> =
                [m * n, m][..1 + usize::from(sums_rows)].iter().map(|&len| numbers(len)).collect();
            let pointers: Vec<*mut u8> =
                outputs.iter_mut().map(|output| output.bytes_mut().expect("new").as_mut_ptr()).collect();
            let read: Vec<*const u8> = inputs.iter().map(Buffer::as_ptr).collect();
            let (_memory, scratch) = Scratch::for_test(product.scratch(), 1);
            let run = Run { inputs: &read, outputs: &pointers, scratch, pool: &Pool::new(1), epilogue: None };
            // SAFETY: the buffers have the sizes of the product.
            unsafe { product.run(&run) }
            let read: Vec<&[u8]> = inputs.iter().map(Buffer::bytes).collect();
            let written: Vec<&[u8]> = outputs.iter().map(Buffer::bytes).collect();
            check_shared(&product, &read, &written, "product");
        }
    }
}
