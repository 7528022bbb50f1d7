//! The matrices of transformed squares, one for each of a square's points.

use super::transform::PLACES;
use crate::kernels::gemm::microkernel::{BatchReduce, BatchReduceKernel, Piece};

/// The sizes of matrices that lie one after the other.
///
/// A square is written to one row of each. Rows and matrices are an odd number of cache lines apart, so that these
/// places lie in different sets of a cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Distance between rows.
    pub(super) row: usize,
    /// Distance between matrices.
    pub(super) matrix: usize,
}

/// Elements of a pair of cache lines, and of one.
const LINES: usize = 32;
const LINE: usize = LINES / 2;

impl Layout {
    /// Of matrices with `rows` rows of `columns` columns; some more can be read and written.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Layout::of_rows(rows, columns.next_multiple_of(LINES) + LINE)
    }

    /// Of matrices whose rows are as far apart as they are long.
    pub(super) fn of_rows(rows: usize, row: usize) -> Self {
        Layout { row, matrix: (rows * row).next_multiple_of(LINES) + LINE }
    }

    /// Elements of all matrices.
    pub(super) fn len(&self) -> usize {
        PLACES * self.matrix
    }

    /// Where a row begins in each matrix.
    pub(super) fn places(&self, start: *mut f32, row: usize) -> [*mut f32; PLACES] {
        let mut places = [start.wrapping_add(row * self.row); PLACES];
        for (index, place) in places.iter_mut().enumerate() {
            *place = place.wrapping_add(index * self.matrix);
        }
        places
    }
}

/// A panel of columns of a product of matrices.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) depth: usize,
    pub(super) a: *const f32,
    /// Distances between its rows and between its depths.
    pub(super) a_row: usize,
    pub(super) a_depth: usize,
    pub(super) b: *const f32,
    /// Distance between its depths.
    pub(super) b_depth: usize,
    pub(super) c: *mut f32,
    /// Distance between its rows.
    pub(super) c_row: usize,
    /// Whether to add to what the result holds.
    pub(super) add: bool,
}

impl Product {
    /// Computes it.
    ///
    /// # Safety
    /// The operands are of these sizes, and `b` and `c` of whole panels.
    pub(super) unsafe fn run(&self, kernel: &BatchReduceKernel<f32>) {
        let height = kernel.height(self.rows);
        let piece = Piece { a: 0, b: 0 };
        for row in (0..self.rows).step_by(height) {
            let tile = BatchReduce {
                pieces: &raw const piece,
                num_pieces: 1,
                depth: self.depth,
                a: self.a.wrapping_add(row * self.a_row),
                a_row: self.a_row,
                a_depth: self.a_depth,
                b: self.b,
                b_depth: self.b_depth,
                c: self.c.wrapping_add(row * self.c_row),
                c_row: self.c_row,
                cols: kernel.width,
                add: self.add,
            };
            // SAFETY: as the caller vouches.
            unsafe { kernel.run(height.min(self.rows - row), tile) }
        }
    }
}
