//! A program that works on each finished region of a contraction's result.

use super::run::{CompiledProgram, Places};
use crate::kernels::gemm::Epilogue;
use crate::pool::Scratch;

/// A program with everything it runs on.
pub struct BoundProgram<'a> {
    program: &'a CompiledProgram,
    inputs: &'a [*const u8],
    outputs: &'a [*mut u8],
    scratch: Scratch,
}

// SAFETY: regions that run at the same time are disjoint, and each worker has its own scratch memory.
unsafe impl Sync for BoundProgram<'_> {}
// SAFETY: as above.
unsafe impl Send for BoundProgram<'_> {}

impl<'a> BoundProgram<'a> {
    /// Binds a program to its memory. A contraction's result is one of the inputs, and may be an output.
    ///
    /// # Safety
    /// As [`CompiledProgram::run`] while this value lives; regions that run at the same time are
    /// disjoint, and each is complete in the input that the contraction writes.
    pub unsafe fn new(
        program: &'a CompiledProgram,
        inputs: &'a [*const u8],
        outputs: &'a [*mut u8],
        scratch: Scratch,
    ) -> Self {
        BoundProgram { program, inputs, outputs, scratch }
    }
}

impl Epilogue for BoundProgram<'_> {
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize) {
        let BoundProgram { program, inputs, outputs, scratch } = *self;
        let memory = scratch.worker::<u8>(worker, program.scratch_per_worker());
        let (rows, columns) = if cols == row_stride { (1, rows * cols) } else { (rows, cols) };
        let places = Places { first: start, rows, distance: row_stride, columns };
        // SAFETY: as `BoundProgram::new` was promised.
        unsafe { program.run_places(inputs, outputs, places, memory) }
    }

    fn array(&self, index: usize) -> Option<(*const u8, usize)> {
        self.program.arrays(self.inputs, self.outputs).nth(index)
    }
}
