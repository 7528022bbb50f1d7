//! Which element of a window is its first in an order.
//!
//! It is found in two steps, each with as many comparisons as the window has columns and rows: for each row of the operand
//! the first element of the window's columns, and for each row of the result the first of the window's rows.

use std::marker::PhantomData;

use super::element::{Order, Pooled};
use super::phases::{LANES, Phases, block, block_mut};
use super::places::Places;

/// That a place holds no element.
pub(super) const NONE: u32 = u32::MAX;

/// How windows over planes select.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) places: Places,
    pub(super) phases: Phases,
    /// For each place of a row, the first column of the window that meets an element, or [`NONE`].
    first: Box<[u32]>,
}

/// Memory for what is found in a plane.
pub(super) struct Found<'a, W> {
    /// A padded row, and its phases.
    pub(super) padded: &'a mut [W],
    pub(super) apart: &'a mut [W],
    /// For each row of the operand and each place, the first element of the window's columns.
    best: &'a mut [W],
    /// Which column that is, and for gradients a sum: rows of [`Phases::shifted_len`].
    pub(super) columns: &'a mut [u32],
    pub(super) sums: &'a mut [W],
}

/// A pair of a type and an order.
pub(super) struct In<T, O>(PhantomData<(T, O)>);

impl Selection {
    pub(super) fn new(places: Places) -> Selection {
        let (axis, phases) = (places.axes[2], Phases::new(&places.axes[2]));
        let meets =
            |place: usize| (0..axis.size).find(|&tap| place < axis.output && axis.element(place, tap).is_some());
        let first = (0..phases.places).map(|place| meets(place).map_or(NONE, |tap| tap as u32)).collect();
        Selection { places, phases, first }
    }

    /// Elements of the parts of [`Found`], in their order.
    fn lens(&self) -> [usize; 5] {
        let (lines, row_len, shifted_len) =
            (self.places.input_rows(), self.phases.row_len(), self.phases.shifted_len());
        [row_len, row_len, lines * self.phases.places, lines * shifted_len, lines * shifted_len]
    }

    /// Bytes of memory for a [`Found`].
    pub(super) fn bytes<W>(&self) -> usize {
        let [padded, apart, best, columns, sums] = self.lens();
        columns * size_of::<u32>() + (padded + apart + best + sums) * size_of::<W>() + align_of::<W>()
    }

    /// Divides memory, all of which may hold anything.
    ///
    /// # Safety
    /// There are [`Selection::bytes`], aligned to 64 bytes and used for nothing else meanwhile.
    pub(super) unsafe fn found<'a, W>(&self, memory: *mut u8) -> Found<'a, W> {
        let [padded, apart, best, columns, sums] = self.lens();
        // SAFETY: the parts follow each other within the memory; all types may hold any bits.
        unsafe {
            let wide = memory.add((columns * size_of::<u32>()).next_multiple_of(align_of::<W>())).cast::<W>();
            let part = |before: usize, len: usize| std::slice::from_raw_parts_mut(wide.add(before), len);
            Found {
                padded: part(0, padded),
                apart: part(padded, apart),
                best: part(padded + apart, best),
                sums: part(padded + apart + best, sums),
                columns: std::slice::from_raw_parts_mut(memory.cast(), columns),
            }
        }
    }
}

impl<T: Pooled, O: Order> In<T, O> {
    /// Finds for each row of a plane the first elements of the window's columns.
    #[inline(always)]
    pub(super) fn columns(selection: &Selection, x: &[T], found: &mut Found<T::Wide>) {
        let Selection { places, phases, first } = selection;
        let last = O::last::<T>();
        found.padded.fill(last);
        for line in 0..places.input_rows() {
            for (to, x) in phases.within(found.padded).iter_mut().zip(phases.met(x, line)) {
                *to = x.widen();
            }
            let apart = phases.take_apart(found.padded, found.apart);
            let all = &mut found.best[line * phases.places..][..phases.places];
            let columns = &mut found.columns[line * phases.shifted_len()..][..phases.shifted_len()];
            for at in (0..phases.places).step_by(LANES) {
                let (mut best, mut column) = ([last; LANES], block(first, at));
                for (number, tap) in phases.taps.iter().enumerate() {
                    let x = block(apart, tap.phase * phases.len + tap.shift + at);
                    for lane in 0..LANES {
                        let wins = O::precedes(x[lane], best[lane]);
                        best[lane] = if wins { x[lane] } else { best[lane] };
                        column[lane] = if wins { number as u32 } else { column[lane] };
                    }
                }
                *block_mut(all, at) = best;
                *block_mut(columns, phases.max_shift + at) = column;
            }
        }
    }

    /// Which of the window's rows has the first element, for a block of places of a row of the result.
    #[inline(always)]
    pub(super) fn rows(selection: &Selection, found: &Found<T::Wide>, row: usize, at: usize) -> [u32; LANES] {
        let (mut best, mut rows) = ([O::last::<T>(); LANES], [NONE; LANES]);
        selection.places.lines(row, |number, line| {
            let x = block(found.best, line * selection.phases.places + at);
            for lane in 0..LANES {
                let wins = (rows[lane] == NONE) | O::precedes(x[lane], best[lane]);
                best[lane] = if wins { x[lane] } else { best[lane] };
                rows[lane] = if wins { number as u32 } else { rows[lane] };
            }
        });
        rows
    }
}
