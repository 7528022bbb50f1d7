//! Products with few rows or columns where the larger operand lies along the lines that are summed: a layer's forward
//! pass on a small batch. To pack it would cost more than the product.

use super::microkernel::DotTiles;
use super::number::Number;
use super::{Gemm, Operand, Pointers};
use crate::isa::Isa;
use crate::pool::{Pool, Scratch, ScratchSize};

/// How many rows are few.
const FEW: usize = 16;
/// How many columns are worth a copy of the few rows, if they do not lie along the lines.
const COPIED_COLUMNS: usize = 256;
/// The least depth that makes up for adding the parts of each sum.
const MIN_DEPTH: usize = 128;
/// How many multiplications are worth a task, and how many lines a task has at least.
const TASK_WORK: usize = 128 << 10;
const MIN_LINES: usize = 16;

/// Such a product; rows and columns have changed places if columns are few.
#[derive(Clone, Copy)]
pub(super) struct FewRows<T> {
    function: unsafe fn(DotTiles<T>),
    batch: usize,
    rows: usize,
    cols: usize,
    depth: usize,
    is_swapped: bool,
    /// The few rows.
    a: Operand,
    is_copied: bool,
    /// Distances between matrices and between lines.
    b: [isize; 2],
    c: Operand,
    add: bool,
}

impl<T: Number> FewRows<T> {
    /// The product, if it is such a one.
    pub(super) fn new(gemm: &Gemm, isa: Isa) -> Option<Self> {
        let Gemm { batch, m, n, k, a, b, c, accumulate } = *gemm;
        let is_swapped = n < m;
        let b = b.transposed();
        let (few, many, a, b, c) = if is_swapped { (n, m, b, a, c.transposed()) } else { (m, n, a, b, c) };
        let is_copied = a.col_stride != 1;
        if few > FEW || k < MIN_DEPTH || b.col_stride != 1 || is_copied && many < COPIED_COLUMNS {
            return None;
        }
        Some(FewRows {
            function: T::dot_tiles(isa),
            batch,
            rows: few,
            cols: many,
            depth: k,
            is_swapped,
            a,
            is_copied,
            b: [b.batch_stride, b.row_stride],
            c,
            add: accumulate,
        })
    }

    /// The working memory it needs.
    pub(super) fn scratch(&self) -> ScratchSize {
        let copied = if self.is_copied { self.batch * self.rows * self.depth } else { 0 };
        ScratchSize { shared: copied * size_of::<T>(), per_worker: 0 }
    }

    /// Copies the few rows.
    unsafe fn copy(&self, from: *const T, to: *mut T, pool: &Pool) {
        let pointers = Pointers(from, std::ptr::null(), to);
        pool.run(self.batch * self.rows, &|line, _| {
            let (from, _, to) = pointers.get();
            let (batch, row) = ((line / self.rows) as isize, (line % self.rows) as isize);
            let from = from.wrapping_offset(batch * self.a.batch_stride + row * self.a.row_stride);
            for place in 0..self.depth {
                // SAFETY: as the caller vouches; the element lies within both.
                unsafe { *to.add(line * self.depth + place) = *from.offset(place as isize * self.a.col_stride) }
            }
        });
    }

    /// Computes the product, and calls `finished(first, rows, row_stride, cols, worker)` for its parts.
    ///
    /// # Safety
    /// As `CompiledGemm::run`, of elements of type `T`.
    pub(super) unsafe fn run(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        scratch: &Scratch,
        pool: &Pool,
        finished: &(dyn Fn(usize, usize, usize, usize, usize) + Sync),
    ) {
        let (rows, cols, depth) = (self.rows, self.cols, self.depth);
        let (mut a, b) = if self.is_swapped { (b, a) } else { (a, b) };
        let (mut a_batch_stride, mut a_stride) = (self.a.batch_stride, self.a.row_stride);
        if self.is_copied {
            let copy = scratch.shared(self.scratch().shared / size_of::<T>());
            // SAFETY: as the caller vouches.
            unsafe { self.copy(a, copy, pool) };
            (a, a_batch_stride, a_stride) = (copy.cast_const(), (rows * depth) as isize, depth as isize);
        }
        let pointers = Pointers(a, b, c);
        let tasks = (rows * cols * depth).div_ceil(TASK_WORK).clamp(1, cols.div_ceil(MIN_LINES).max(1));
        let part = cols.div_ceil(tasks).max(1).next_multiple_of(MIN_LINES);
        let tasks = cols.div_ceil(part);
        pool.run(self.batch * tasks, &|task, worker| {
            let (a, b, c) = pointers.get();
            let (index, first) = (task / tasks, task % tasks * part);
            let (batch, line, len) = (index as isize, first as isize, part.min(cols - first));
            let tiles = DotTiles {
                depth,
                a: a.wrapping_offset(batch * a_batch_stride),
                a_stride,
                b: b.wrapping_offset(batch * self.b[0] + line * self.b[1]),
                b_stride: self.b[1],
                c: c.wrapping_offset(batch * self.c.batch_stride + line * self.c.col_stride),
                c_strides: [self.c.row_stride, self.c.col_stride],
                rows,
                cols: len,
                add: self.add,
            };
            // SAFETY: as the caller vouches; the function is compiled for this processor.
            unsafe { (self.function)(tiles) }
            let start = index * rows * cols;
            if self.is_swapped {
                finished(start + first * rows, len, rows, rows, worker);
            } else {
                finished(start + first, rows, cols, len, worker);
            }
        });
    }
}
