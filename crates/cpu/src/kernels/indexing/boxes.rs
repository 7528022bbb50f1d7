//! Copying a box of elements out of or into an array.

use std::ops::Range;

use gyrus_graph::DType;

use super::super::elements::read_index;
use crate::kernel::Run;
use crate::kernels::split::{Pointers, split};

/// A box of sizes `sizes` within an array of sizes `of`.
pub(super) struct Boxed {
    of: Vec<usize>,
    sizes: Vec<usize>,
    element: usize,
    index_type: DType,
    /// The first operand of the kernel that is a start.
    first_start: usize,
}

impl Boxed {
    pub(super) fn new(of: &[usize], sizes: &[usize], element: usize, index_type: DType, first_start: usize) -> Boxed {
        Boxed { of: of.to_vec(), sizes: sizes.to_vec(), element, index_type, first_start }
    }

    /// Where along an axis the box begins, within the array.
    ///
    /// # Safety
    /// The operands of the run are those that the box was made for.
    unsafe fn start(&self, pointers: &Pointers, axis: usize) -> usize {
        let last = (self.of[axis] - self.sizes[axis]) as i64;
        // SAFETY: each start is a scalar of the type of indices.
        let start = unsafe { read_index(pointers.input(self.first_start + axis), self.index_type, 0) };
        start.clamp(0, last) as usize
    }

    /// Calls `copy` with byte ranges of the array and the beginning of the same bytes in the box.
    ///
    /// # Safety
    /// The operands of the run are those that the box was made for.
    pub(super) unsafe fn for_each_row(&self, run: &Run, copy: impl Fn(Range<usize>, usize) + Sync) {
        let pointers = Pointers::of(run);
        // Trailing axes that the box fills make longer rows.
        let rank = self.sizes.len();
        let filled = (0..rank).rev().take_while(|&axis| self.sizes[axis] == self.of[axis]).count();
        let row_axis = (rank - filled).saturating_sub(1);
        let row = self.sizes[row_axis..].iter().product::<usize>() * self.element;
        if row == 0 {
            return;
        }
        split(run.pool, self.sizes[..row_axis].iter().product(), (1 << 14) / row, |rows| {
            for index in rows {
                let (mut rest, mut place, mut stride) = (index, 0, self.element);
                for axis in (0..rank).rev() {
                    // SAFETY: by this function's own contract.
                    let mut at = unsafe { self.start(&pointers, axis) };
                    if axis < row_axis {
                        at += rest % self.sizes[axis];
                        rest /= self.sizes[axis];
                    }
                    place += at * stride;
                    stride *= self.of[axis];
                }
                copy(place..place + row, index * row);
            }
        });
    }
}
