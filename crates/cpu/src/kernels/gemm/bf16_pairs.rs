//! Products of `bf16`, or of `f32` that are rounded to it, by instructions that multiply pairs of them.
//!
//! Two neighbouring depths are packed in the place of one `f32`: blocks, tiles and tasks are those of a product of
//! `f32` of half the depth.

use gyrus_graph::bf16;

use super::ahead::Area;
use super::blocking::{Blocking, Operands, Sizes};
use super::microkernel::{Gather, PackArguments, PairLoops, PairOf};
use super::number::Stored;
use super::pack::{Lines, Packed, Panels, pieces};
use super::target::{Target, write_row};
use super::{Addend, Arguments, Epilogue, Gemm, Operand};
use crate::isa::Isa;
use crate::pool::{Pool, Scratch, ScratchSize};

/// A product of operands of a type, `bf16` or `f32`, and a result of the same.
#[derive(Clone, Copy)]
pub(super) struct Bf16Product<S> {
    blocking: Blocking<f32>,
    loops: PairLoops<S>,
}

impl<S: PairOf + Stored<f32>> Bf16Product<S> {
    /// The product, if this processor has the instructions.
    pub(super) fn new(gemm: &Gemm, isa: Isa) -> Option<Self> {
        let loops = PairLoops::new(isa, gemm.m)?;
        let sizes = Sizes { k: gemm.k.div_ceil(2), ..gemm.sizes(S::IS_SAME) };
        Some(Bf16Product { blocking: Blocking::of_kernel(loops.kernel, sizes), loops })
    }

    /// The working memory it needs.
    pub(super) fn scratch(&self) -> ScratchSize {
        self.blocking.scratch()
    }

    /// Whether it adds to its result.
    pub(super) fn adds(&self) -> bool {
        self.blocking.adds()
    }

    /// How many bytes the packed right operand takes, if it can be packed before, and its form.
    pub(super) fn packed(&self, numbers: &str) -> Option<(usize, String)> {
        Some((self.blocking.packed_bytes()?, self.blocking.packed_form(numbers)))
    }

    /// Packs the right operand.
    ///
    /// # Safety
    /// As `CompiledGemm::pack`.
    pub(super) unsafe fn pack(&self, gemm: &Gemm, b: *const u8, to: *mut u8, pool: &Pool) {
        // SAFETY: as the caller vouches.
        unsafe { self.blocking.pack_right(&self.right(gemm, b), to.cast(), pool) }
    }

    pub(super) fn is_by_rows(&self) -> bool {
        self.blocking.is_by_rows()
    }

    /// Computes the product.
    ///
    /// # Safety
    /// As `CompiledGemm::run`, of elements of the type.
    pub(super) unsafe fn run(
        &self,
        gemm: &Gemm,
        arguments: &Arguments,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        let Operand { batch_stride, row_stride, col_stride } = gemm.c;
        let (a, b) = (self.operand(arguments.a.cast(), gemm.a, gemm.k), self.right(gemm, arguments.b));
        let target = Target {
            c: arguments.c,
            batch_stride,
            row_stride,
            col_stride,
            accumulate: gemm.accumulate,
            write: self.loops.writing.unwrap_or(write_row::<S, f32>),
            element_size: size_of::<S>(),
        };
        let (added, packed) = (arguments.added.map(Addend::cast), arguments.packed.cast());
        let operands = Operands { packed, added, ..Operands::new(&a, &b, target, epilogue, 0) };
        let shared = scratch.shared(self.scratch().shared / size_of::<f32>());
        // SAFETY: as the caller vouches.
        unsafe { self.blocking.run(&operands, shared, scratch, pool) }
    }

    fn right(&self, gemm: &Gemm, b: *const u8) -> Pairs<S> {
        self.operand(b.cast(), gemm.b.transposed(), gemm.k)
    }

    fn operand(&self, from: *const S, layout: Operand, len: usize) -> Pairs<S> {
        let Operand { batch_stride, row_stride, col_stride } = layout;
        Pairs { from, batch_stride, across: row_stride, along: col_stride, len, loops: self.loops }
    }
}

/// An operand with any strides, packed as pairs of neighbouring depths.
struct Pairs<S> {
    from: *const S,
    batch_stride: isize,
    across: isize,
    along: isize,
    /// Elements of a line.
    len: usize,
    loops: PairLoops<S>,
}

// SAFETY: it is only read.
unsafe impl<S> Sync for Pairs<S> {}

/// How many pairs of a line are gathered together.
const CHUNK: usize = 32;
/// The most lines of a panel.
const MAX_WIDTH: usize = 32;

impl<S: PairOf> Panels<f32> for Pairs<S> {
    unsafe fn pack(&self, lines: &Lines, Packed { width, to, stride }: Packed<f32>) {
        let Pairs { across, along, .. } = *self;
        let (from, len) = self.place(lines);
        let (count, pairs) = (lines.count, lines.depth.len());
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            if across == 1 {
                let (depth, to) = (len, to.cast());
                return (self.loops.interleaving)(PackArguments {
                    from,
                    across,
                    along,
                    count,
                    width,
                    depth,
                    to,
                    stride,
                });
            }
            if S::IS_BF16 && along == 1 && across % 2 == 0 && len % 2 == 0 {
                let (from, across, depth) = (from.cast(), across / 2, pairs);
                return (self.loops.packing)(PackArguments { from, across, along, count, width, depth, to, stride });
            }
            for piece in pieces(count, width, pairs) {
                let place = piece.line as isize * across + 2 * piece.start as isize * along;
                let to = to.add(piece.panel * stride + piece.start * width);
                self.gather(from.offset(place), piece.lines, width, piece.depth, len - 2 * piece.start, to);
            }
        }
    }

    fn area(&self, lines: &Lines) -> Option<Area> {
        let (from, len) = self.place(lines);
        Area::new(from, lines.count, len, self.across, self.along)
    }
}

impl<S> Pairs<S> {
    /// Where lines begin, and how many elements of each are there.
    fn place(&self, Lines { batch, first, depth, .. }: &Lines) -> (*const S, usize) {
        let (start, end) = (2 * depth.start, (2 * depth.end).min(self.len));
        let [batch, line, place] = [*batch, *first, start].map(|index| index as isize);
        let from = self.from.wrapping_offset(batch * self.batch_stride + line * self.across + place * self.along);
        (from, end.saturating_sub(start))
    }
}

impl<S: PairOf> Pairs<S> {
    /// Packs lines, of which `len` elements are left, as one panel of so many pairs.
    ///
    /// # Safety
    /// As [`Panels::pack`].
    unsafe fn gather(&self, from: *const S, count: usize, width: usize, depth: usize, len: usize, to: *mut f32) {
        let Pairs { across, along, .. } = *self;
        let mut lines = [[bf16::ZERO; 2]; CHUNK * MAX_WIDTH];
        for done in (0..depth).step_by(CHUNK) {
            let pairs = CHUNK.min(depth - done);
            let there = (2 * pairs).min(len - 2 * done);
            // SAFETY: as the caller vouches; the loops are compiled for this processor.
            unsafe {
                for (line, gathered) in lines.chunks_exact_mut(CHUNK).enumerate().take(count) {
                    let from = from.offset(line as isize * across + 2 * done as isize * along);
                    let gathered = gathered[..pairs].as_flattened_mut();
                    gathered[there..].fill(bf16::ZERO);
                    (self.loops.gathering)(Gather { from, along, count: there, to: gathered.as_mut_ptr() });
                }
                let (from, across, to) = (lines.as_ptr().cast(), CHUNK as isize, to.add(done * width));
                let (along, depth, stride) = (1, pairs, 0);
                (self.loops.packing)(PackArguments { from, across, along, count, width, depth, to, stride });
            }
        }
    }
}
