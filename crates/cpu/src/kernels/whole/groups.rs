//! Sums over many rows, in fixed groups of rows.

pub(super) use crate::kernels::split::Shared;

use super::lanes::{Float, LANES, for_blocks, load, store, zip};
use crate::pool::Rows;

/// A division of rows into groups, each summed by one task, that does not depend on the number of threads: few enough that
/// adding the groups' sums costs little, enough for the threads of a large machine.
pub(super) fn groups(num_rows: usize) -> Rows {
    Rows { count: num_rows, unit: 1, parts: (num_rows / 16).clamp(1, 64), tasks_per_part: 1 }
}

/// Adds the rows of `sums`, `[count, width]`, and writes the total to `result`.
///
/// # Safety
/// `sums` points to as many elements, `result` to `width`; they do not overlap.
pub(super) unsafe fn add_rows<T: Float>(sums: *const T, count: usize, width: usize, result: *mut T) {
    for_blocks!(at in 0, width => {
        let mut total = [T::ZERO; LANES];
        for row in 0..count {
            // SAFETY: as the caller vouches.
            total = zip(total, unsafe { load(sums.add(row * width), at, width, T::ZERO) }, |a, b| a + b);
        }
        // SAFETY: as the caller vouches.
        unsafe { store(result, at, width, total) }
    });
}
