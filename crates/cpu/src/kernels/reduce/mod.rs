//! Reductions, with the element-wise chain that they read, in one pass.
//!
//! The chain runs block by block ([`super::elementwise`]); each block is combined while it is in the
//! first-level cache ([`combine`]). Within a block real numbers are combined in many lanes, blocks in
//! `f64`, so that the error of a sum does not grow with its length. Work is divided by size alone into
//! boxes of the iteration space ([`boxes`]); where boxes divide reduced axes, their partial results are
//! combined in a fixed order.

mod boxes;
mod combine;
#[cfg(test)]
mod tests;

use gyrus_graph::DType;
use gyrus_graph::ops::reduction::Reduction;

use self::boxes::{Boxes, MAX_KEPT, Segment, Walk};
use self::combine::{Combiner, Piece};
use super::elementwise::{CompiledProgram, Program, Register};
use crate::isa::Isa;
use crate::pool::{Pool, Scratch, ScratchSize};

/// A reduction of a register of an element-wise program.
#[derive(Clone, Debug, PartialEq)]
pub struct ReduceProgram {
    /// What is computed for each place; it may store outputs as well.
    pub program: Program,
    /// The register that is reduced.
    pub source: Register,
    /// How its elements combine.
    pub reduction: Reduction,
    /// For each axis of the program's shape, whether it is reduced.
    pub reduced: Vec<bool>,
    /// The element type of the result: a row-major array over the axes that are kept.
    pub dtype: DType,
}

/// A [`ReduceProgram`] made ready to run. Running it allocates nothing.
#[derive(Clone, Debug)]
pub struct CompiledReduce {
    program: CompiledProgram,
    reduction: Reduction,
    dtype: DType,
    boxes: Boxes,
    combiner: Combiner,
}

impl ReduceProgram {
    /// Chooses the loops for this processor, and the division of the work.
    ///
    /// # Panics
    /// As [`Program::compile`], or if there is not one flag for each axis.
    pub fn compile(self) -> CompiledReduce {
        self.compile_for(Isa::get())
    }

    /// As [`ReduceProgram::compile`], for an instruction set, which the processor must have.
    pub fn compile_for(self, isa: Isa) -> CompiledReduce {
        let ReduceProgram { program, source, reduction, reduced, dtype } = self;
        assert_eq!(reduced.len(), program.shape.len(), "a reduction has one flag for each axis");
        let (compiled, groups) =
            CompiledProgram::new(&program, Some(source), |axis, next| reduced[axis] != reduced[next], isa);
        let merged: Vec<bool> = groups.iter().map(|&axis| reduced.get(axis).copied().unwrap_or(false)).collect();
        let kept =
            program.shape.iter().zip(&reduced).filter(|&(_, &reduced)| !reduced).map(|(&size, _)| size).product();
        let boxes = Boxes::new(compiled.merged_shape(), &merged, kept);
        let combiner = Combiner::new(reduction, program.registers[source as usize], isa);
        CompiledReduce { program: compiled, reduction, dtype, boxes, combiner }
    }
}

impl CompiledReduce {
    /// The working memory that [`CompiledReduce::run`] needs.
    pub fn scratch(&self) -> ScratchSize {
        let partial = if self.boxes.num_partials > 1 { self.boxes.num_partials * self.boxes.kept * 8 } else { 0 };
        ScratchSize { shared: partial, per_worker: self.program_scratch() + 2 * MAX_KEPT * 8 }
    }

    /// How many outputs the program has, beside the result.
    pub fn num_stored(&self) -> usize {
        self.program.num_outputs()
    }

    fn program_scratch(&self) -> usize {
        self.program.scratch_per_worker().next_multiple_of(64)
    }

    /// Computes the result, and the program's outputs.
    ///
    /// # Safety
    /// As [`CompiledProgram::run`]; `result` is valid for the result, and overlaps nothing else.
    pub unsafe fn run(
        &self,
        inputs: &[*const u8],
        outputs: &[*mut u8],
        result: *mut u8,
        scratch: &Scratch,
        pool: &Pool,
    ) {
        let (boxes, combiner) = (&self.boxes, &self.combiner);
        if self.program.num_elements() == 0 {
            let identity = self.reduction.identity(self.dtype).bits().to_le_bytes();
            let (result, size) =
                (Shared { inputs, outputs, result, partials: std::ptr::null_mut() }, self.dtype.size());
            pool.run(1, &|_, _| {
                for place in 0..boxes.kept {
                    // SAFETY: the caller vouches for the result's elements.
                    unsafe { result.get().result.add(place * size).copy_from_nonoverlapping(identity.as_ptr(), size) }
                }
            });
            return;
        }
        let is_partial = boxes.num_partials > 1;
        let partials: *mut u64 =
            if is_partial { scratch.shared::<u64>(boxes.num_partials * boxes.kept) } else { std::ptr::null_mut() };
        let shared = Shared { inputs, outputs, result, partials };
        let work = |task: usize, worker: usize| {
            let Shared { inputs, outputs, result, partials } = *shared.get();
            let memory = scratch.worker::<u8>(worker, self.scratch().per_worker);
            // SAFETY: boxes are disjoint, and so are the places of their results; each worker has its
            // own memory, which has room for the program's and for the sums of one box.
            unsafe {
                let sums = memory.add(self.program_scratch()).cast::<u64>();
                let walk = boxes.walk(task);
                (0..walk.num_sums).for_each(|sum| *sums.add(sum) = combiner.identity);
                let mut columns = Columns::new(combiner, sums, sums.add(MAX_KEPT).cast());
                walk.ranges(|range| {
                    self.program.run_blocks(inputs, outputs, range, memory, false, |start, n, block| {
                        self.combine_block(&walk, start, n, block, &mut columns);
                    });
                });
                columns.flush();
                walk.results(|sum, place, count| {
                    let sums = sums.add(sum);
                    if is_partial {
                        let to = partials.add(walk.partial * boxes.kept + place);
                        to.copy_from_nonoverlapping(sums, count);
                    } else {
                        combiner.write(sums, count, result.add(place * self.dtype.size()), self.dtype);
                    }
                });
            }
        };
        pool.run(boxes.num_tasks, &work);
        if is_partial {
            let grain = 1024;
            let combine = |task: usize, _: usize| {
                let Shared { result, partials, .. } = *shared.get();
                let range = task * grain..((task + 1) * grain).min(boxes.kept);
                // SAFETY: each task has its own part of the kept places.
                unsafe {
                    let first = partials.add(range.start);
                    for partial in 1..boxes.num_partials {
                        combiner.join(first, first.add(partial * boxes.kept), range.len());
                    }
                    combiner.write(first, range.len(), result.add(range.start * self.dtype.size()), self.dtype);
                }
            };
            pool.run(boxes.kept.div_ceil(grain), &combine);
        }
    }

    /// Combines a block of `n` elements, the first of which is at the place `start`.
    ///
    /// # Safety
    /// The block has `n` elements, and the sums are those of the box that is walked.
    unsafe fn combine_block(&self, walk: &Walk, start: usize, n: usize, block: *const u8, columns: &mut Columns) {
        let (mut position, end) = (start, start + n);
        while position < end {
            let Segment { mut rows, len, sum, is_row, columns: all } = walk.segment(position, end - position);
            // SAFETY: the segment is within the block, and its sums within the box.
            unsafe {
                let src = block.add((position - start) * self.combiner.size);
                if is_row {
                    (self.combiner.rows)(Piece { rows, len, src, sums: columns.wide.add(sum).cast() });
                } else {
                    rows = rows.min(MAX_ROWS);
                    columns.combine(rows, len, src, sum, all);
                }
            }
            position += rows * len;
        }
    }
}

/// Sums of columns are wide after at most about so many rows.
const MAX_ROWS: usize = 64;

/// Sums of columns, in the elements' own type until they are flushed.
struct Columns<'a> {
    combiner: &'a Combiner,
    wide: *mut u64,
    narrow: *mut u8,
    /// The sums that may have to be flushed: the first, and how many.
    open: (usize, usize),
    /// How many elements have been combined into them.
    count: usize,
}

impl<'a> Columns<'a> {
    fn new(combiner: &'a Combiner, wide: *mut u64, narrow: *mut u8) -> Self {
        Columns { combiner, wide, narrow, open: (0, 0), count: 0 }
    }

    /// Combines elements into the sums from `sum` on, which are among `all` those of their columns.
    ///
    /// # Safety
    /// There are `rows * len` elements at `src`, and there is room for all sums at both places.
    unsafe fn combine(&mut self, rows: usize, len: usize, src: *const u8, sum: usize, all: (usize, usize)) {
        let size = self.combiner.size;
        // SAFETY: as the caller vouches.
        unsafe {
            if self.open != all {
                self.flush();
                self.open = all;
                (self.combiner.begin)(self.narrow.add(all.0 * size), all.1);
            } else if self.count >= MAX_ROWS * all.1 {
                self.flush();
            }
            (self.combiner.columns)(Piece { rows, len, src, sums: self.narrow.add(sum * size) });
        }
        self.count += rows * len;
    }

    /// Makes all sums wide.
    ///
    /// # Safety
    /// As [`Columns::combine`].
    unsafe fn flush(&mut self) {
        let (first, len) = self.open;
        // SAFETY: as the caller vouches.
        unsafe {
            let narrow = self.narrow.add(first * self.combiner.size);
            let sums = self.wide.add(first).cast();
            (self.combiner.flush)(Piece { rows: 1, len, src: narrow.cast_const(), sums });
        }
        self.count = 0;
    }
}

/// Pointers that threads share.
struct Shared<'a> {
    inputs: &'a [*const u8],
    outputs: &'a [*mut u8],
    result: *mut u8,
    partials: *mut u64,
}

impl Shared<'_> {
    fn get(&self) -> &Self {
        self
    }
}

// SAFETY: tasks write disjoint parts of everything.
unsafe impl Sync for Shared<'_> {}
