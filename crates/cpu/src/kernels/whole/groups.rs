//! Sums over many rows, in fixed groups of rows.

use std::ops::Range;

pub(super) use crate::kernels::split::Shared;

use super::lanes::{Float, LANES, for_blocks, load, store, zip};

/// A division of rows into groups, each summed by one thread, that does not depend on the number of threads.
#[derive(Clone, Copy)]
pub(super) struct Groups {
    pub(super) num_rows: usize,
    pub(super) count: usize,
}

impl Groups {
    /// Few enough that adding the groups' sums costs little, enough for the threads of a large machine.
    pub(super) fn new(num_rows: usize) -> Self {
        Groups { num_rows, count: (num_rows / 16).clamp(1, 64) }
    }

    pub(super) fn rows(&self, group: usize) -> Range<usize> {
        self.num_rows * group / self.count..self.num_rows * (group + 1) / self.count
    }
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
