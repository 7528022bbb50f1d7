//! Products of `bf16` by instructions that multiply pairs of them.
//!
//! Two neighbouring depths are packed in the place of one `f32`: blocks, tiles and tasks are those of a product of `f32`
//! of half the depth.

use std::ops::Range;

use gyrus_graph::bf16;

use super::blocking::{Blocking, Operands, Sizes};
use super::microkernel::{PackArguments, PairLoops};
use super::pack::Panels;
use super::target::Target;
use super::{Epilogue, Gemm, Operand};
use crate::isa::Isa;
use crate::pool::{Pool, Scratch, ScratchSize};

/// A product of `bf16`.
#[derive(Clone, Copy)]
pub(super) struct Bf16Product {
    blocking: Blocking<f32>,
    loops: PairLoops,
}

impl Bf16Product {
    /// The product, if this processor has the instructions.
    pub(super) fn new(gemm: &Gemm, isa: Isa) -> Option<Self> {
        let Gemm { batch, m, n, k, a, .. } = *gemm;
        let loops = PairLoops::new(isa, m)?;
        let is_left_shared = batch > 1 && a.batch_stride == 0;
        let sizes = Sizes { batch, m, n, k: k.div_ceil(2), is_left_shared, is_direct: false };
        Some(Bf16Product { blocking: Blocking::of_kernel(loops.kernel, sizes), loops })
    }

    /// The working memory it needs.
    pub(super) fn scratch(&self) -> ScratchSize {
        self.blocking.scratch()
    }

    /// Computes the product.
    ///
    /// # Safety
    /// As `CompiledGemm::run`, of elements of type `bf16`.
    #[allow(clippy::too_many_arguments, reason = "those of `CompiledGemm::run`")]
    pub(super) unsafe fn run(
        &self,
        gemm: &Gemm,
        a: *const bf16,
        b: *const bf16,
        c: *mut u8,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        let Operand { batch_stride, row_stride, col_stride } = gemm.c;
        let (a, b) = (self.operand(a, gemm.a, gemm.k), self.operand(b, gemm.b.transposed(), gemm.k));
        let target = Target {
            c,
            batch_stride,
            row_stride,
            col_stride,
            accumulate: gemm.accumulate,
            write: self.loops.rounding,
            element_size: size_of::<bf16>(),
        };
        let shared = scratch.shared(self.scratch().shared / size_of::<f32>());
        // SAFETY: as the caller vouches.
        unsafe { self.blocking.run(&Operands { a: &a, b: &b, target, epilogue, first: 0 }, shared, scratch, pool) }
    }

    fn operand(&self, from: *const bf16, layout: Operand, len: usize) -> Pairs {
        let Operand { batch_stride, row_stride, col_stride } = layout;
        Pairs { from, batch_stride, across: row_stride, along: col_stride, len, loops: self.loops }
    }
}

/// An operand with any strides, packed as pairs of neighbouring depths.
struct Pairs {
    from: *const bf16,
    batch_stride: isize,
    across: isize,
    along: isize,
    /// Elements of a line.
    len: usize,
    loops: PairLoops,
}

// SAFETY: it is only read.
unsafe impl Sync for Pairs {}

/// How many pairs of a line are gathered together.
const CHUNK: usize = 32;
/// The most lines of a panel.
const MAX_WIDTH: usize = 32;

impl Panels<f32> for Pairs {
    unsafe fn pack(&self, batch: usize, first: usize, count: usize, width: usize, depth: Range<usize>, to: *mut f32) {
        let Pairs { across, along, .. } = *self;
        let (start, end) = (2 * depth.start, (2 * depth.end).min(self.len));
        let [batch, line, place] = [batch, first, start].map(|index| index as isize);
        let from = self.from.wrapping_offset(batch * self.batch_stride + line * across + place * along);
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            if across == 1 {
                let (depth, to) = (end - start, to.cast());
                return (self.loops.interleaving)(PackArguments { from, across, along, count, width, depth, to });
            }
            if along == 1 && across % 2 == 0 && (end - start) % 2 == 0 {
                let (from, across, depth) = (from.cast(), across / 2, depth.len());
                return (self.loops.packing)(PackArguments { from, across, along, count, width, depth, to });
            }
            let mut lines = [[bf16::ZERO; 2]; CHUNK * MAX_WIDTH];
            for done in (0..depth.len()).step_by(CHUNK) {
                let pairs = CHUNK.min(depth.len() - done);
                for (line, gathered) in lines.chunks_exact_mut(CHUNK).enumerate().take(count) {
                    let from = from.offset(line as isize * across + 2 * done as isize * along);
                    let gathered = gathered[..pairs].as_flattened_mut();
                    for (index, element) in gathered.iter_mut().enumerate() {
                        let is_there = start + 2 * done + index < end;
                        *element = if is_there { *from.offset(index as isize * along) } else { bf16::ZERO };
                    }
                }
                let (from, across, to) = (lines.as_ptr().cast(), CHUNK as isize, to.add(done * width));
                (self.loops.packing)(PackArguments { from, across, along: 1, count, width, depth: pairs, to });
            }
        }
    }
}
