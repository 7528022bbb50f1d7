//! Products of a matrix with a vector, which nothing is packed for.

use super::microkernel::Strip;
use super::number::Number;
use super::{Gemm, Operand, Pointers};
use crate::isa::Isa;
use crate::pool::Pool;

/// How many elements of the matrix are worth a task.
const TASK_ELEMENTS: usize = 32 << 10;
/// What the number of a task's elements of the result is a multiple of, of the second kind where columns are long
/// enough to be read in long runs.
const GRANULE: usize = 128;
const LONG_GRANULE: usize = 512;

/// A product of which one side is a vector, `y[batch, i] = sum over k of matrix[batch, i, k] * vector[batch, k]`.
#[derive(Clone, Copy)]
pub(super) struct MatrixVector<T> {
    function: unsafe fn(Strip<T>),
    batch: usize,
    len: usize,
    depth: usize,
    is_matrix_left: bool,
    matrix: Operand,
    /// Distance between what [`Strip::matrix`] counts.
    stride: isize,
    vector: Operand,
    vector_stride: isize,
    y: Operand,
    y_stride: isize,
    add: bool,
}

impl<T: Number> MatrixVector<T> {
    /// The product, if it is one of a matrix and a vector of suitable strides.
    pub(super) fn new(gemm: &Gemm, isa: Isa) -> Option<Self> {
        let Gemm { batch, m, n, k, a, b, c, accumulate } = *gemm;
        let is_matrix_left = n == 1;
        let (len, matrix, across, along, vector, vector_stride, y_stride) = if is_matrix_left {
            (m, a, a.row_stride, a.col_stride, b, b.row_stride, c.row_stride)
        } else if m == 1 {
            (n, b, b.col_stride, b.row_stride, a, a.col_stride, c.col_stride)
        } else {
            return None;
        };
        let [dots, sums] = T::strips(isa);
        let (function, stride) = if along == 1 && vector_stride == 1 {
            (dots, across)
        } else if across == 1 && y_stride == 1 && len >= GRANULE {
            (sums, along)
        } else {
            return None;
        };
        let (depth, y, add) = (k, c, accumulate);
        Some(MatrixVector {
            function,
            batch,
            len,
            depth,
            is_matrix_left,
            matrix,
            stride,
            vector,
            vector_stride,
            y,
            y_stride,
            add,
        })
    }

    /// Computes the product, and calls `finished(batch, first, len, worker)` for its parts.
    ///
    /// # Safety
    /// As `CompiledGemm::run`, of elements of type `T`.
    pub(super) unsafe fn run(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        pool: &Pool,
        finished: &(dyn Fn(usize, usize, usize, usize) + Sync),
    ) {
        let (matrix, vector) = if self.is_matrix_left { (a, b) } else { (b, a) };
        let pointers = Pointers(matrix, vector, c);
        let across = if self.is_matrix_left { self.matrix.row_stride } else { self.matrix.col_stride };
        let granule = if across == 1 && self.len > 2 * LONG_GRANULE { LONG_GRANULE } else { GRANULE };
        let parts = (self.len * self.depth).div_ceil(TASK_ELEMENTS).clamp(1, self.len.div_ceil(granule).max(1));
        let part = self.len.div_ceil(parts).max(1).next_multiple_of(granule);
        let parts = self.len.div_ceil(part);
        pool.run(self.batch * parts, &|task, worker| {
            let (matrix, vector, y) = pointers.get();
            let (batch, first) = (task / parts, task % parts * part);
            let (place, len) = (batch as isize, part.min(self.len - first));
            let strip = Strip {
                len,
                depth: self.depth,
                matrix: matrix.wrapping_offset(place * self.matrix.batch_stride + first as isize * across),
                stride: self.stride,
                vector: vector.wrapping_offset(place * self.vector.batch_stride),
                vector_stride: self.vector_stride,
                y: y.wrapping_offset(place * self.y.batch_stride + first as isize * self.y_stride),
                y_stride: self.y_stride,
                add: self.add,
            };
            // SAFETY: as the caller vouches; the function is compiled for this processor.
            unsafe { (self.function)(strip) }
            finished(batch, first, len, worker);
        });
    }
}
