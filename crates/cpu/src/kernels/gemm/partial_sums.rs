//! Sums over parts of the depth.

use super::blocking::Operands;
use super::number::Number;
use super::target::{Target, write_row};
use crate::pool::Pool;

/// The sums over parts of the depth, each `[m, n]`.
pub(super) struct PartialSums<T> {
    pub(super) sums: *mut T,
    pub(super) count: usize,
    pub(super) m: usize,
    pub(super) n: usize,
}

// SAFETY: tasks keep to their own parts.
unsafe impl<T> Sync for PartialSums<T> {}

impl<T: Number> PartialSums<T> {
    /// Where a part's sums go.
    pub(super) fn target(&self, part: usize) -> Target<T> {
        Target {
            c: self.sums.wrapping_add(part * self.m * self.n).cast(),
            batch_stride: 0,
            row_stride: self.n as isize,
            col_stride: 1,
            accumulate: false,
            write: write_row::<T, T>,
            element_size: size_of::<T>(),
        }
    }

    /// Adds the parts in their order, and writes the result.
    ///
    /// # Safety
    /// All parts are computed, and the operands are as they are.
    pub(super) unsafe fn combine(&self, operands: &Operands<T>, pool: &Pool) {
        let (m, n) = (self.m, self.n);
        let tasks = m.min((m * n * self.count).div_ceil(16 << 10));
        pool.run(tasks, &|task, worker| {
            let rows = m * task / tasks..m * (task + 1) / tasks;
            // SAFETY: as the caller vouches; each row is one task's.
            unsafe {
                let sums = std::slice::from_raw_parts_mut(self.sums.add(rows.start * n), rows.len() * n);
                for part in 1..self.count {
                    let place = (part * m + rows.start) * n;
                    let other = std::slice::from_raw_parts(self.sums.add(place), rows.len() * n);
                    for (sum, other) in sums.iter_mut().zip(other) {
                        *sum = sum.add(*other);
                    }
                }
                for row in rows.clone() {
                    operands.target.write_row(self.sums.add(row * n), n, 0, row, 0);
                }
            }
            if let Some(epilogue) = operands.epilogue {
                epilogue.region(operands.first + rows.start * n, rows.len(), n, n, worker);
            }
        });
    }
}
