//! Operands rearranged into panels, in the order in which tiles read them.

use std::marker::PhantomData;
use std::ops::Range;

use super::Operand;
use super::microkernel::{Packing, Vector};
use super::number::{Number, Stored};
use crate::math::{MulAdd, Multiversion};

/// How many elements after a panel may be overwritten while it is packed.
pub(crate) const PANEL_PADDING: usize = 16;

/// How many depths of lines that are far apart are packed together.
pub(super) const DEPTHS_TOGETHER: usize = 64;

/// An operand of a product, seen as a number of lines along which is summed: rows of the left operand,
/// columns of the right one.
pub(crate) trait Panels<T>: Sync {
    /// Writes lines as a panel `[depth, width]`: from `first` on, `count` of them, the others of the panel
    /// as zeros.
    ///
    /// # Safety
    /// The lines and depths lie within the operand, and `to` has [`PANEL_PADDING`] elements more than the
    /// panel.
    unsafe fn pack(&self, batch: usize, first: usize, count: usize, width: usize, depth: Range<usize>, to: *mut T);

    /// How many depths of some lines are packed before the next ones: few where lines lie far apart, each in a page of
    /// its own, of which the processor remembers few addresses.
    fn depths_together(&self) -> usize {
        usize::MAX
    }

    /// Where the lines from `first` on stand from depth `depth` on, and the distance between depths, if they
    /// are neighbours and need not be packed.
    fn in_place(&self, _batch: usize, _first: usize, _depth: usize) -> Option<(*const T, usize)> {
        None
    }
}

/// What [`Pack`] works on.
#[derive(Clone, Copy)]
pub(crate) struct PackArguments<T> {
    /// The first element.
    pub(crate) from: *const T,
    /// Distance between lines.
    pub(crate) across: isize,
    /// Distance along a line.
    pub(crate) along: isize,
    /// Lines.
    pub(crate) count: usize,
    /// Elements of a row of the panel.
    pub(crate) width: usize,
    /// Rows of the panel.
    pub(crate) depth: usize,
    /// The panel.
    pub(crate) to: *mut T,
}

/// Packs lines with any strides.
pub(crate) struct Pack<V>(PhantomData<V>);

impl<V: Vector> Multiversion for Pack<V> {
    type Arguments = PackArguments<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: PackArguments<V::Element>) {
        let PackArguments { from, across, along, count, width, depth, to } = arguments;
        // SAFETY: as `Panels::pack` was promised: what is written beyond a row of the panel is written again
        // with the next row, or is padding.
        unsafe {
            if across == 1 {
                for step in 0..depth {
                    let (from, to) = (from.offset(step as isize * along), to.add(step * width));
                    let mut at = 0;
                    while at + V::LANES <= count {
                        V::load(from.add(at)).store(to.add(at));
                        at += V::LANES;
                    }
                    while at < width {
                        V::load_first(from.wrapping_add(at), count.saturating_sub(at)).store(to.add(at));
                        at += V::LANES;
                    }
                }
                return;
            }
            if count < width {
                for step in 0..depth {
                    for line in count..width {
                        *to.add(step * width + line) = V::Element::default();
                    }
                }
            }
            if along == 1 {
                for step in (0..depth).step_by(V::LANES) {
                    let cols = V::LANES.min(depth - step);
                    for line in (0..count).step_by(V::LANES) {
                        let rows = V::LANES.min(count - line);
                        let from = from.offset(line as isize * across + step as isize);
                        let row = |row: usize| from.offset(row as isize * across);
                        V::transpose(row, rows, cols, to.add(step * width + line), width);
                    }
                }
                return;
            }
            for step in 0..depth {
                for line in 0..count {
                    let from = from.offset(line as isize * across + step as isize * along);
                    *to.add(step * width + line) = *from;
                }
            }
        }
    }
}

/// An operand with any strides.
pub(crate) struct Strided<S, T> {
    from: *const S,
    batch_stride: isize,
    /// After how many products of the batch the operands repeat.
    period: usize,
    across: isize,
    along: isize,
    packing: Packing<T>,
    in_place: bool,
}

// SAFETY: it is only read.
unsafe impl<S: Sync, T> Sync for Strided<S, T> {}

impl<S: Stored<T>, T: Number> Strided<S, T> {
    /// The left operand of a product.
    pub(crate) fn rows(from: *const S, layout: Operand, packing: Packing<T>) -> Self {
        let Operand { batch_stride, row_stride, col_stride } = layout;
        Strided {
            from,
            batch_stride,
            period: usize::MAX,
            across: row_stride,
            along: col_stride,
            packing,
            in_place: false,
        }
    }

    /// The right operand of a product, not packed where that is possible if `in_place`.
    pub(crate) fn columns(from: *const S, layout: Operand, packing: Packing<T>, in_place: bool) -> Self {
        let Operand { batch_stride, row_stride, col_stride } = layout;
        let in_place = in_place && S::IS_SAME && col_stride == 1 && row_stride >= 0;
        Strided { from, batch_stride, period: usize::MAX, across: col_stride, along: row_stride, packing, in_place }
    }

    /// The same operands again after each `period` products of the batch.
    pub(crate) fn repeated(self, period: usize) -> Self {
        Strided { period, ..self }
    }

    fn place(&self, batch: usize, line: usize, depth: usize) -> *const S {
        let [batch, line, depth] = [batch % self.period, line, depth].map(|index| index as isize);
        self.from.wrapping_offset(batch * self.batch_stride + line * self.across + depth * self.along)
    }
}

/// How many elements of a line are converted together.
const CHUNK: usize = 32;
/// The most lines of a panel.
const MAX_WIDTH: usize = 32;

impl<S: Stored<T>, T: Number> Panels<T> for Strided<S, T> {
    fn depths_together(&self) -> usize {
        DEPTHS_TOGETHER
    }

    unsafe fn pack(&self, batch: usize, first: usize, count: usize, width: usize, depth: Range<usize>, to: *mut T) {
        let from = self.place(batch, first, depth.start);
        let (across, along, depth) = (self.across, self.along, depth.len());
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            if S::IS_SAME {
                let from = from.cast::<T>();
                return (self.packing)(PackArguments { from, across, along, count, width, depth, to });
            }
            if across == 1 {
                for step in 0..depth {
                    let line = std::slice::from_raw_parts(from.offset(step as isize * along), count);
                    let row = std::slice::from_raw_parts_mut(to.add(step * width), width);
                    S::read_all(line, &mut row[..count]);
                    row[count..].fill(T::default());
                }
                return;
            }
            let mut lines = [T::default(); CHUNK * MAX_WIDTH];
            for start in (0..depth).step_by(CHUNK) {
                let depth = CHUNK.min(depth - start);
                for (line, converted) in lines.chunks_exact_mut(CHUNK).enumerate().take(count) {
                    let from = from.offset(line as isize * across + start as isize * along);
                    if along == 1 {
                        S::read_all(std::slice::from_raw_parts(from, depth), &mut converted[..depth]);
                    } else {
                        for (step, element) in converted[..depth].iter_mut().enumerate() {
                            *element = (*from.offset(step as isize * along)).read();
                        }
                    }
                }
                let (from, across, to) = (lines.as_ptr(), CHUNK as isize, to.add(start * width));
                (self.packing)(PackArguments { from, across, along: 1, count, width, depth, to });
            }
        }
    }

    fn in_place(&self, batch: usize, first: usize, depth: usize) -> Option<(*const T, usize)> {
        self.in_place.then(|| (self.place(batch, first, depth).cast(), self.along as usize))
    }
}
