//! Products of small matrices, and of tall ones with few columns: to pack them would cost more than to multiply them.

use super::number::Number;
use super::product::{Operands, Product, Transpose};
use super::{Gemm, Operand, Pointers};
use crate::isa::Isa;
use crate::kernels::whole::LANES;
use crate::pool::{Pool, Scratch, ScratchSize};

/// How many elements the operands of a small product have at most: they stay in the first-level cache, or nearly.
const SMALL: usize = 16 << 10;
/// How deep a product of few columns is at most, and how many rows a task has of it at least.
const SHALLOW: usize = 128;
const MANY_ROWS: usize = 256;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 128 << 10;

/// One or more such products.
#[derive(Clone, Copy)]
pub(super) struct Small<T> {
    gemm: Gemm,
    product: Product<T>,
    /// How many rows of a product, or products, are a task.
    task_rows: usize,
    task_products: usize,
}

impl<T: Number> Small<T> {
    /// The products, if they are such ones.
    pub(super) fn new(gemm: &Gemm, isa: Isa) -> Option<Self> {
        let Gemm { batch, m, n, k, a, b, c, .. } = *gemm;
        let product = Product::<T>::new(isa);
        let strides = [a.row_stride, a.col_stride, b.row_stride, b.col_stride, c.row_stride];
        let are_small = batch > 1 && m * k + k * n <= SMALL;
        let are_tall = n <= product.width && k <= SHALLOW && m >= MANY_ROWS;
        let are_lines = b.col_stride == 1 || b.row_stride == 1;
        let fits = are_lines && c.col_stride == 1 && strides.iter().all(|&stride| stride >= 0);
        if !fits || batch * m * n * k == 0 || !(are_small || are_tall) {
            return None;
        }
        let worth = |work: usize| (TASK_WORK / work).max(1);
        let (task_rows, task_products) =
            if are_small { (m, worth(m * n * k)) } else { (worth(n * k).max(MANY_ROWS), 1) };
        Some(Small { gemm: *gemm, product, task_rows, task_products })
    }

    /// Whether columns of the right operand are brought together before they are multiplied.
    fn transposes(&self) -> bool {
        self.gemm.n > 1 && self.gemm.b.col_stride != 1
    }

    fn transposed_len(&self) -> usize {
        if self.transposes() { self.gemm.k * LANES } else { 0 }
    }

    /// The working memory it needs.
    pub(super) fn scratch(&self) -> ScratchSize {
        ScratchSize { shared: 0, per_worker: self.transposed_len() * size_of::<T>() }
    }

    /// Computes the products, and calls `finished(first, rows, row_stride, cols, worker)` for parts of them.
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
        let (pointers, Gemm { batch, m, n, .. }) = (Pointers(a, b, c), self.gemm);
        let parts = m.div_ceil(self.task_rows);
        pool.run(batch.div_ceil(self.task_products) * parts, &|task, worker| {
            let (first, row) = (task / parts * self.task_products, task % parts * self.task_rows);
            let (count, rows) = (self.task_products.min(batch - first), self.task_rows.min(m - row));
            let memory = scratch.worker::<T>(worker, self.transposed_len());
            for index in first..first + count {
                // SAFETY: as the caller vouches; the rows are this task's, the memory is the worker's.
                unsafe { self.product(pointers.get(), index, row, rows, memory) }
            }
            // Rows of several products are all of theirs.
            finished((first * m + row) * n, (count - 1) * m + rows, n, n, worker);
        });
    }

    /// Some rows of one product.
    unsafe fn product(
        &self,
        (a, b, c): (*const T, *const T, *mut T),
        index: usize,
        row: usize,
        rows: usize,
        memory: *mut T,
    ) {
        let Gemm { n, k, accumulate: add, .. } = self.gemm;
        let at =
            |operand: Operand, row: usize| index as isize * operand.batch_stride + row as isize * operand.row_stride;
        let operands = Operands {
            rows,
            columns: n,
            depth: k,
            a: a.wrapping_offset(at(self.gemm.a, row)),
            a_row_stride: self.gemm.a.row_stride as usize,
            a_column_stride: self.gemm.a.col_stride as usize,
            b: b.wrapping_offset(at(self.gemm.b, 0)),
            b_row_stride: self.gemm.b.row_stride as usize,
            c: c.wrapping_offset(at(self.gemm.c, row)),
            c_row_stride: self.gemm.c.row_stride as usize,
            add,
        };
        // SAFETY: as the caller vouches; the columns lie within the matrices.
        unsafe {
            if !self.transposes() {
                return self.product.run(operands);
            }
            let row_stride = self.gemm.b.col_stride as usize;
            for column in (0..n).step_by(LANES) {
                let count = LANES.min(n - column);
                let (rows, c) = (operands.b.add(column * row_stride), operands.c.add(column));
                self.product.transpose(Transpose { rows, count, row_stride, size: k, factor: None, columns: memory });
                self.product.run(Operands { columns: count, b: memory, b_row_stride: LANES, c, ..operands });
            }
        }
    }
}
