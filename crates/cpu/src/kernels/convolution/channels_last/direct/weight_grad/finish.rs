//! Sums of parts added, and written as the row-major gradient.

use std::marker::PhantomData;

use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::math::{MulAdd, Multiversion};

/// What [`Finish`] works on.
#[derive(Clone, Copy)]
pub(super) struct FinishArguments<T> {
    /// A panel `[taps, rows, width]` of the first part.
    pub(super) sums: *mut T,
    pub(super) parts: usize,
    pub(super) part_len: usize,
    pub(super) width: usize,
    /// The first row and how many there are, of `all_rows`.
    pub(super) rows: [usize; 2],
    pub(super) all_rows: usize,
    pub(super) num_taps: usize,
    /// How many elements of the kernel a row has: its index is `element * channels + channel`.
    pub(super) row_taps: usize,
    pub(super) channels: usize,
    pub(super) columns: usize,
    /// `[columns, channels, num_taps * row_taps]`.
    pub(super) to: *mut T,
}

/// Adds parts and transposes them.
pub(super) struct Finish<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for Finish<T> {
    type Arguments = FinishArguments<T>;
    type Of<V: Vector<Element = T>> = Finish<V>;
}

impl<V: Vector> Multiversion for Finish<V> {
    type Arguments = FinishArguments<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: FinishArguments<V::Element>) {
        let FinishArguments { sums, parts, part_len, width, rows: [first, count], all_rows, .. } = arguments;
        let FinishArguments { num_taps, row_taps, channels, columns, to, .. } = arguments;
        let taps = num_taps * row_taps;
        // SAFETY: as the caller vouches: the rows lie within the sums, and the columns within the result.
        unsafe {
            for tap in 0..num_taps {
                let rows = sums.add((tap * all_rows + first) * width);
                for place in (0..count * width).step_by(V::LANES).filter(|_| parts > 1) {
                    let mut sum = V::load(rows.add(place));
                    for part in 1..parts {
                        sum = sum.add(V::load(rows.add(part * part_len + place)));
                    }
                    sum.store(rows.add(place));
                }
            }
            for column in (0..columns).step_by(V::LANES) {
                let (lanes, to) = (V::LANES.min(columns - column), to.add(column * channels * taps));
                if taps == 1 {
                    // The channels of an output channel are neighbours.
                    for row in (first..first + count).step_by(V::LANES) {
                        let rows = V::LANES.min(first + count - row);
                        let from = |index: usize| sums.add((row + index) * width + column).cast_const();
                        V::transpose(from, rows, lanes, to.add(row), channels);
                    }
                    continue;
                }
                for row in first..first + count {
                    let (channel, row_tap) = (row % channels, row / channels);
                    if row_taps > 1 {
                        for tap in 0..num_taps {
                            let from = sums.add((tap * all_rows + row) * width + column);
                            for lane in 0..lanes {
                                *to.add((lane * channels + channel) * taps + tap * row_taps + row_tap) =
                                    *from.add(lane);
                            }
                        }
                        continue;
                    }
                    for tap in (0..num_taps).step_by(V::LANES) {
                        let rows = V::LANES.min(num_taps - tap);
                        let from =
                            |index: usize| sums.add(((tap + index) * all_rows + row) * width + column).cast_const();
                        V::transpose(from, rows, lanes, to.add(channel * taps + tap), channels * taps);
                    }
                }
            }
        }
    }
}
