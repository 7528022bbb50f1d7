//! Running a compiled program.

use std::ops::Range;

use super::functions::{Block, Strided};
use super::layout::{Access, Source, Space};
use super::lower::{Action, NONE, Place, Step, Values, Writing, lower};
use super::memory::{Follow, GRANULE, Plan, block_length};
use super::program::{Program, Register};
use crate::isa::Isa;
use crate::kernel::RowsOf;
use crate::kernels::cache_line::{LINE, MIN_STREAM, fence, prefetch};
use crate::pool::{Pool, Rows, Scratch, ScratchSize};

/// Below this many elements one thread does all.
const MIN_TASK: usize = 16 << 10;
/// More tasks than this are not made.
const MAX_TASKS: usize = 64;
/// Passes over as many elements, and of as many steps, ask for the next block's while they compute.
const MIN_PREFETCH: (usize, usize) = (256 << 10, 3);

/// A [`Program`] made ready to run. Running it allocates nothing.
#[derive(Clone, Debug)]
pub struct CompiledProgram {
    space: Space,
    sources: Vec<Source>,
    constants: Vec<u64>,
    /// Bytes per element of each output.
    output_sizes: Vec<usize>,
    block: usize,
    /// Whether outputs are written around the cache.
    streams: bool,
    /// Whether to ask for each block while the one before is computed.
    prefetches: bool,
    /// What runs unless an output is the memory of an input that `hazards` pairs it with, or, if outputs are
    /// written around the cache, of any.
    plan: Plan,
    hazards: Vec<(usize, usize)>,
    in_place_plan: Plan,
}

/// Places of the iteration space, counted in row-major order: `rows` times `columns` neighbours.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The first one.
    pub first: usize,
    /// How many rows there are.
    pub rows: usize,
    /// From the begin of a row to that of the next.
    pub distance: usize,
    /// Places of a row.
    pub columns: usize,
}

impl From<Range<usize>> for Places {
    fn from(range: Range<usize>) -> Places {
        Places { first: range.start, rows: 1, distance: 0, columns: range.len() }
    }
}

impl Program {
    /// Chooses the loops for this processor, and the place of everything.
    ///
    /// # Panics
    /// If an instruction reads a register that was not written, or refers to what is not there.
    pub fn compile(self) -> CompiledProgram {
        self.compile_for(Isa::get())
    }

    /// As [`Program::compile`], for an instruction set, which the processor must have.
    pub fn compile_for(self, isa: Isa) -> CompiledProgram {
        CompiledProgram::new(&self, None, |_, _| false, isa).0
    }
}

impl CompiledProgram {
    /// Compiles a program of which `result` is read by a reduction, if given; axes for which
    /// `keep_apart` is true do not merge. Also returns for each axis of the iteration
    /// space an original axis within it.
    pub(crate) fn new(
        program: &Program,
        result: Option<Register>,
        keep_apart: impl Fn(usize, usize) -> bool,
        isa: Isa,
    ) -> (CompiledProgram, Vec<usize>) {
        let (space, sources, groups) = Space::new(program, keep_apart, isa);
        let values = Values::new(program, &space, &sources, result);
        let output_sizes: Vec<usize> = program.outputs.iter().map(|dtype| dtype.size()).collect();
        let streams = output_sizes.iter().any(|size| size * space.num_elements() >= MIN_STREAM);
        let fast = if streams { Writing::Streaming } else { Writing::Direct };
        let [fast, in_place] =
            [fast, Writing::InPlace].map(|writing| lower(&values, &sources, &program.outputs, writing, isa));
        let length = |lowered| block_length(lowered, &sources, &output_sizes, streams);
        let block = length(&fast).min(length(&in_place));
        let [plan, in_place_plan] = [fast, in_place].map(|lowered| Plan::new(lowered, &sources, block));
        let hazards = plan.hazards(&sources);
        let constants = values.constants;
        let prefetches = space.num_elements() >= MIN_PREFETCH.0 && plan.body.len() >= MIN_PREFETCH.1;
        let compiled = CompiledProgram {
            space,
            sources,
            constants,
            output_sizes,
            block,
            streams,
            prefetches,
            plan,
            hazards,
            in_place_plan,
        };
        (compiled, groups)
    }

    #[cfg(test)]
    pub(super) fn num_steps(&self) -> usize {
        self.plan.body.len()
    }

    /// Whether an output may be the memory of an input, and nothing is copied for that.
    #[cfg(test)]
    pub(super) fn overwrites(&self, output: usize, input: usize) -> bool {
        !self.hazards.contains(&(output, input))
    }

    /// The sizes of the axes that are left after merging.
    pub(crate) fn merged_shape(&self) -> &[usize] {
        &self.space.shape
    }

    /// The number of places of the iteration space.
    pub fn num_elements(&self) -> usize {
        self.space.num_elements()
    }

    /// The number of outputs.
    pub fn num_outputs(&self) -> usize {
        self.output_sizes.len()
    }

    /// The arrays that are read and written in the order of the places: where they begin, and bytes per element.
    pub(crate) fn arrays(&self, inputs: &[*const u8], outputs: &[*mut u8]) -> impl Iterator<Item = (*const u8, usize)> {
        let sources = self.sources.iter().filter(|source| source.access == Access::Flat).filter_map(|source| {
            let size = source.dtype.size();
            source.input.map(|input| (inputs[input].wrapping_offset(source.offset * size as isize), size))
        });
        let is_new = |output: &*mut u8| !self.streams && !inputs.contains(&output.cast_const());
        let written = outputs.iter().zip(&self.output_sizes).filter(move |(output, _)| is_new(output));
        sources.chain(written.map(|(output, &size)| (output.cast_const(), size)))
    }

    /// Bytes of working memory that each thread needs, aligned to 64.
    pub fn scratch_per_worker(&self) -> usize {
        self.plan.scratch.max(self.in_place_plan.scratch)
    }

    /// The working memory that [`CompiledProgram::run`] needs.
    pub fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: 0, per_worker: self.scratch_per_worker() }
    }

    /// Runs over all places, divided by size alone.
    ///
    /// # Safety
    /// The pointers are those of the program's inputs and outputs, valid for all that it reads and
    /// writes. An output may be the very memory of an input of the same type and contiguous layout;
    /// otherwise outputs overlap nothing. `scratch` is of the size that [`CompiledProgram::scratch`]
    /// states.
    pub unsafe fn run(&self, inputs: &[*const u8], outputs: &[*mut u8], scratch: &Scratch, pool: &Pool) {
        let total = self.num_elements();
        let grain = total.div_ceil(MAX_TASKS).max(MIN_TASK).next_multiple_of(self.block.max(GRANULE));
        let shared = Shared { inputs, outputs };
        let rows = Rows::units(total, grain);
        pool.run_by_rows(rows, &|task, worker| {
            let Shared { inputs, outputs } = shared.get();
            let memory = scratch.worker::<u8>(worker, self.scratch_per_worker());
            // What is as small as that is in the cache.
            let is_there = total <= MIN_TASK;
            // SAFETY: tasks write disjoint ranges; each worker has its own memory.
            unsafe { self.run_blocks(inputs, outputs, rows.of(task), memory, is_there, |_, _, _| {}) }
        });
    }

    /// The elements of an input, if each is read for the results at the same place.
    pub(crate) fn rows_read(&self, input: usize) -> Option<RowsOf> {
        let mut sources = self.sources.iter().filter(|source| source.input == Some(input)).peekable();
        let size = sources.peek()?.dtype.size();
        let is_flat = |source: &Source| source.access == Access::Flat && source.offset == 0;
        sources.all(is_flat).then(|| RowsOf::contiguous(self.num_elements(), size))
    }

    /// The elements of an output.
    pub(crate) fn rows_written(&self, output: usize) -> Option<RowsOf> {
        Some(RowsOf::contiguous(self.num_elements(), self.output_sizes[output]))
    }

    /// Runs over some places, of which the caller has asked for what is read. Any division into places gives the same
    /// bits.
    ///
    /// # Safety
    /// As [`CompiledProgram::run`], with [`CompiledProgram::scratch_per_worker`] bytes at `scratch`,
    /// aligned to 64.
    pub unsafe fn run_places(
        &self,
        inputs: &[*const u8],
        outputs: &[*mut u8],
        places: impl Into<Places>,
        scratch: *mut u8,
    ) {
        // SAFETY: as the caller vouches.
        unsafe { self.run_blocks(inputs, outputs, places, scratch, true, |_, _, _| {}) }
    }

    /// As [`CompiledProgram::run_places`], unless what is read `is_asked_for` already asking for it where that helps; calls
    /// `consume` with the first place of each block, the number of its elements, and where the register that a reduction
    /// reads is.
    ///
    /// # Safety
    /// As [`CompiledProgram::run_places`].
    #[inline]
    pub(crate) unsafe fn run_blocks(
        &self,
        inputs: &[*const u8],
        outputs: &[*mut u8],
        places: impl Into<Places>,
        scratch: *mut u8,
        is_asked_for: bool,
        mut consume: impl FnMut(usize, usize, *const u8),
    ) {
        let Places { first, rows, distance, columns } = places.into();
        if rows * columns == 0 {
            return;
        }
        let prefetches = self.prefetches && !is_asked_for;
        let shares = |&(output, input): &(usize, usize)| outputs[output].cast_const() == inputs[input];
        let is_input = |output: &*mut u8| inputs.contains(&output.cast_const());
        let is_in_place = self.hazards.iter().any(shares) || self.streams && outputs.iter().any(is_input);
        let plan = if is_in_place { &self.in_place_plan } else { &self.plan };
        let frame = Frame { program: self, plan, inputs, outputs, scratch, origin: first };
        // SAFETY: the scratch memory has room for the table and all blocks, which the caller vouches
        // for; places and sources stay within the arrays.
        unsafe {
            frame.begin((rows - 1) * distance + columns);
            for row in 0..rows {
                let mut start = first + row * distance;
                let end = start + columns;
                while start < end {
                    let n = self.block_at(start, end);
                    frame.follow(start);
                    for (index, step) in plan.body.iter().enumerate() {
                        if prefetches {
                            frame.prefetch(start + n, end, index);
                        }
                        frame.step(step, start, n);
                    }
                    let result = if plan.result == NONE { std::ptr::null() } else { frame.pointer(plan.result) };
                    consume(start, n, result);
                    start += n;
                }
            }
        }
        if self.streams {
            fence();
        }
    }

    /// The length of the block that begins at a place.
    fn block_at(&self, start: usize, end: usize) -> usize {
        if !self.space.by_rows {
            return self.block.min(end - start);
        }
        // Rows are cut evenly.
        let row = self.space.row();
        let even = row.div_ceil(row.div_ceil(self.block)).next_multiple_of(GRANULE).min(self.block);
        even.min(row - start % row).min(end - start)
    }
}

/// Pointers that threads share.
struct Shared<'a> {
    inputs: &'a [*const u8],
    outputs: &'a [*mut u8],
}

impl Shared<'_> {
    fn get(&self) -> &Self {
        self
    }
}

// SAFETY: threads write disjoint ranges of the outputs and read inputs only at places that no other
// thread writes.
unsafe impl Sync for Shared<'_> {}

/// Places being run.
struct Frame<'a> {
    program: &'a CompiledProgram,
    plan: &'a Plan,
    inputs: &'a [*const u8],
    outputs: &'a [*mut u8],
    /// A table of the places' addresses, then the blocks.
    scratch: *mut u8,
    /// The first of them.
    origin: usize,
}

impl Frame<'_> {
    /// # Safety
    /// `place` is a place of the plan, and the table has been filled.
    #[inline(always)]
    unsafe fn pointer(&self, place: usize) -> *mut u8 {
        // SAFETY: the table begins the scratch memory.
        unsafe { *self.scratch.cast::<*mut u8>().add(place) }
    }

    /// # Safety
    /// As [`Frame::pointer`].
    #[inline(always)]
    unsafe fn set(&self, place: usize, pointer: *mut u8) {
        // SAFETY: the table begins the scratch memory.
        unsafe { *self.scratch.cast::<*mut u8>().add(place) = pointer }
    }

    fn base(&self, source: &Source) -> *const u8 {
        source.input.map_or(std::ptr::null(), |input| self.inputs[input])
    }

    /// Fills the table and runs the prologue, for places of which the last is the `len`th.
    unsafe fn begin(&self, len: usize) {
        let CompiledProgram { sources, constants, block, .. } = self.program;
        // SAFETY: offsets are within the scratch memory; a uniform source has an element at its offset.
        unsafe {
            for (place, kind) in self.plan.places.iter().enumerate() {
                let pointer = match *kind {
                    Place::Register(_) | Place::Cell => self.scratch.add(self.plan.offsets[place]),
                    Place::Constant(constant) => (&raw const constants[constant]).cast_mut().cast(),
                    Place::Source(source) if sources[source].access == Access::Uniform => {
                        let source = &sources[source];
                        self.base(source).offset(source.offset * source.dtype.size() as isize).cast_mut()
                    }
                    Place::Source(_) | Place::Output(_) => std::ptr::null_mut(),
                };
                self.set(place, pointer);
            }
            for follow in &self.plan.follows {
                if let Follow::Period { source, offset, .. } = *follow {
                    let source = &sources[source];
                    let Access::Periodic(period) = source.access else { unreachable!() };
                    let n = len.min(block + period);
                    self.program.space.gather(source, self.base(source), self.origin, n, self.scratch.add(offset));
                }
            }
            for step in &self.plan.prologue {
                self.step(step, self.origin, len.min(*block));
            }
        }
    }

    /// Moves what follows the current block.
    #[inline(always)]
    unsafe fn follow(&self, start: usize) {
        let CompiledProgram { space, sources, output_sizes, .. } = self.program;
        // SAFETY: `start` is a place of the iteration space.
        unsafe {
            for follow in &self.plan.follows {
                match *follow {
                    Follow::Output { place, output } => {
                        self.set(place, self.outputs[output].add(start * output_sizes[output]));
                    }
                    Follow::Source { place, source } => {
                        let source = &sources[source];
                        let element = element(space, source, start);
                        let pointer = self.base(source).offset(element * source.dtype.size() as isize);
                        self.set(place, pointer.cast_mut());
                    }
                    Follow::Period { place, source, offset } => {
                        let source = &sources[source];
                        let Access::Periodic(period) = source.access else { unreachable!() };
                        let phase = (start - self.origin) % period;
                        self.set(place, self.scratch.add(offset + phase * source.lane().size()));
                    }
                }
            }
        }
    }

    /// Asks, while a step runs, for its share of what the block that begins at `start` reads.
    #[inline(always)]
    fn prefetch(&self, start: usize, end: usize, step: usize) {
        let len = self.program.block.min(end - start);
        let steps = self.plan.body.len();
        for source in self.program.sources.iter().filter(|source| source.access == Access::Flat && source.is_direct()) {
            let size = source.dtype.size();
            let first = self.base(source).wrapping_offset((source.offset + start as isize) * size as isize);
            let share = len * size * step / steps..len * size * (step + 1) / steps;
            share.step_by(LINE).for_each(|place| prefetch(first.wrapping_add(place)));
        }
    }

    #[inline(always)]
    unsafe fn step(&self, step: &Step, start: usize, n: usize) {
        // SAFETY: the plan's places are valid for a block of `n`.
        unsafe {
            let dst = self.pointer(step.dst);
            let n = Plan::count(step, n);
            match step.action {
                Action::Call(function) => {
                    let operand =
                        |place: usize| if place == NONE { dst.cast_const() } else { self.pointer(place).cast_const() };
                    function(Block { n, dst, operands: step.operands.map(operand) });
                }
                Action::Load(source) => {
                    let source = &self.program.sources[source];
                    let space = &self.program.space;
                    let base = self.base(source);
                    if source.access == Access::Strided {
                        return space.gather(source, base, start, n, dst);
                    }
                    let offset = element(space, source, start);
                    let row = Strided { dst, base, offset, rows: 1, row_stride: 0, columns: n, stride: 1 };
                    (source.load)(row);
                }
            }
        }
    }
}

/// Where the first element of a block is in the memory of a source whose blocks are in order there.
#[inline(always)]
fn element(space: &Space, source: &Source, start: usize) -> isize {
    match source.access {
        Access::Flat => source.offset + start as isize,
        Access::Uniform => source.offset,
        Access::RowScalar => space.row_offset(source, start / space.row()),
        Access::RowVector => space.row_offset(source, start / space.row()) + (start % space.row()) as isize,
        Access::Periodic(_) | Access::Strided => unreachable!("not in order"),
    }
}
