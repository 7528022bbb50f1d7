//! Operands rearranged into panels, in the order in which tiles read them.

use std::marker::PhantomData;
use std::ops::Range;

use super::Operand;
use super::ahead::Area;
use super::microkernel::{Packing, Vector};
use super::number::{Number, Stored};
use crate::kernels::cache_line::prefetch;
use crate::math::{MulAdd, Multiversion};

/// How many elements after a panel may be overwritten while it is packed.
pub(crate) const PANEL_PADDING: usize = 16;

/// How many depths of some lines are packed before the next ones where lines lie far apart, each in a page of its own, of
/// which the processor remembers few addresses.
const DEPTHS_TOGETHER: usize = 64;

/// How many depths before they are packed those that lie far apart are asked for.
pub(super) const DEPTHS_AHEAD: isize = 16;

/// Lines of an operand, along which is summed: rows of the left operand, columns of the right one.
#[derive(Clone)]
pub(crate) struct Lines {
    /// Of which product of the batch.
    pub(crate) batch: usize,
    /// The first one.
    pub(crate) first: usize,
    /// How many.
    pub(crate) count: usize,
    /// Which part of them.
    pub(crate) depth: Range<usize>,
}

/// Panels `[depth, width]` of lines.
#[derive(Clone, Copy)]
pub(crate) struct Packed<T> {
    /// Lines of a panel.
    pub(crate) width: usize,
    /// Where the first one is.
    pub(crate) to: *mut T,
    /// Elements from one to the next.
    pub(crate) stride: usize,
}

impl<T> Packed<T> {
    /// The lines of each panel, and where it is.
    pub(crate) fn of(self, lines: &Lines) -> impl Iterator<Item = (Lines, *mut T)> {
        (0..lines.count).step_by(self.width).enumerate().map(move |(panel, line)| {
            let count = self.width.min(lines.count - line);
            (Lines { first: lines.first + line, count, ..lines.clone() }, self.to.wrapping_add(panel * self.stride))
        })
    }
}

/// An operand of a product that can be packed.
pub(crate) trait Panels<T>: Sync {
    /// Writes lines as panels; those that the last one has not are zeros.
    ///
    /// # Safety
    /// The lines lie within the operand, and each panel has [`PANEL_PADDING`] elements more than are written.
    unsafe fn pack(&self, lines: &Lines, panels: Packed<T>);

    /// Where lines are, if it helps to ask for them before they are packed.
    fn area(&self, _lines: &Lines) -> Option<Area> {
        None
    }

    /// Where the lines from `first` on stand from depth `depth` on, and the distance between depths, if they
    /// are neighbours and can be read there.
    fn in_place(&self, _batch: usize, _first: usize, _depth: usize) -> Option<(*const T, usize)> {
        None
    }
}

/// Part of a panel.
pub(super) struct Piece {
    pub(super) panel: usize,
    /// Its first line, and how many it has.
    pub(super) line: usize,
    pub(super) lines: usize,
    /// Where it begins along the lines, and how far it goes.
    pub(super) start: usize,
    pub(super) depth: usize,
}

/// The order in which lines are packed that are not neighbours.
pub(super) fn pieces(count: usize, width: usize, depth: usize) -> impl Iterator<Item = Piece> {
    (0..depth).step_by(DEPTHS_TOGETHER).flat_map(move |start| {
        (0..count).step_by(width).enumerate().map(move |(panel, line)| Piece {
            panel,
            line,
            lines: width.min(count - line),
            start,
            depth: DEPTHS_TOGETHER.min(depth - start),
        })
    })
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
    /// Lines; if they are more than a panel's, the others go to further panels.
    pub(crate) count: usize,
    /// Elements of a row of a panel.
    pub(crate) width: usize,
    /// Rows of a panel.
    pub(crate) depth: usize,
    /// The first panel.
    pub(crate) to: *mut T,
    /// Distance between panels.
    pub(crate) stride: usize,
}

/// Packs lines with any strides.
pub(crate) struct Pack<V>(PhantomData<V>);

impl<V: Vector> Multiversion for Pack<V> {
    type Arguments = PackArguments<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: PackArguments<V::Element>) {
        let PackArguments { count, width, depth, stride, across, along, .. } = arguments;
        // SAFETY: as `Panels::pack` was promised.
        unsafe {
            if across == 1 {
                return Self::pack_rows(arguments);
            }
            let from =
                |piece: &Piece| arguments.from.offset(piece.line as isize * across + piece.start as isize * along);
            let mut pieces = pieces(count, width, depth).peekable();
            while let Some(piece) = pieces.next() {
                let part = PackArguments {
                    from: from(&piece),
                    count: piece.lines,
                    depth: piece.depth,
                    to: arguments.to.add(piece.panel * stride + piece.start * width),
                    ..arguments
                };
                Self::pack_panel(part, pieces.peek().map_or(part.from, from));
            }
        }
    }
}

impl<V: Vector> Pack<V> {
    /// Packs lines that are neighbours, a row of all panels at a time: each line of the cache is read once.
    ///
    /// # Safety
    /// As `Panels::pack` was promised: what is written beyond a row of a panel is written again with the next row, or
    /// is padding.
    #[inline(always)]
    unsafe fn pack_rows(arguments: PackArguments<V::Element>) {
        let PackArguments { from, along, count, width, depth, to, stride, .. } = arguments;
        // Panels that are read in whole vectors: what these have beyond the panel lies within the row.
        let read = width.next_multiple_of(V::LANES);
        let whole = if count < read { 0 } else { (count - read) / width + 1 };
        // SAFETY: as the caller vouches.
        unsafe {
            for step in 0..depth {
                let (mut from, mut to) = (from.offset(step as isize * along), to.add(step * width));
                let coming = from.wrapping_offset(DEPTHS_AHEAD * along);
                for at in (0..count).step_by(V::LANES) {
                    prefetch(coming.wrapping_add(at));
                }
                for _ in 0..whole {
                    V::load(from).store(to);
                    for at in (V::LANES..width).step_by(V::LANES) {
                        V::load(from.add(at)).store(to.add(at));
                    }
                    (from, to) = (from.add(width), to.add(stride));
                }
                for line in (whole * width..count).step_by(width) {
                    let count = width.min(count - line);
                    for at in (0..width).step_by(V::LANES) {
                        V::load_first(from.wrapping_add(at), count.saturating_sub(at)).store(to.add(at));
                    }
                    (from, to) = (from.wrapping_add(width), to.wrapping_add(stride));
                }
            }
        }
    }

    /// Packs lines that are not neighbours as one panel, and asks for those that begin at `coming`, which are packed next.
    ///
    /// # Safety
    /// As [`Pack::pack_rows`].
    #[inline(always)]
    unsafe fn pack_panel(arguments: PackArguments<V::Element>, coming: *const V::Element) {
        let PackArguments { from, across, along, count, width, depth, to, .. } = arguments;
        // SAFETY: as the caller vouches.
        unsafe {
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
                        let place = line as isize * across + step as isize;
                        let (from, coming) = (from.offset(place), coming.wrapping_offset(place));
                        for row in 0..rows {
                            prefetch(coming.wrapping_offset(row as isize * across));
                        }
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
        Self::columns(from, layout.transposed(), packing, true)
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

impl<S: Stored<T>, T: Number> Strided<S, T> {
    /// Packs lines of another type as one panel.
    ///
    /// # Safety
    /// As [`Panels::pack`].
    unsafe fn convert(&self, from: *const S, count: usize, width: usize, depth: usize, to: *mut T) {
        let (across, along) = (self.across, self.along);
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
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
                let along = 1;
                (self.packing)(PackArguments { from, across, along, count, width, depth, to, stride: 0 });
            }
        }
    }
}

impl<S: Stored<T>, T: Number> Panels<T> for Strided<S, T> {
    unsafe fn pack(&self, lines: &Lines, Packed { width, to, stride }: Packed<T>) {
        let (across, along) = (self.across, self.along);
        let (count, depth) = (lines.count, lines.depth.len());
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            if S::IS_SAME {
                let from = self.place(lines.batch, lines.first, lines.depth.start).cast();
                return (self.packing)(PackArguments { from, across, along, count, width, depth, to, stride });
            }
            for piece in pieces(count, width, depth) {
                let from = self.place(lines.batch, lines.first + piece.line, lines.depth.start + piece.start);
                let to = to.add(piece.panel * stride + piece.start * width);
                self.convert(from, piece.lines, width, piece.depth, to);
            }
        }
    }

    fn area(&self, lines: &Lines) -> Option<Area> {
        let from = self.place(lines.batch, lines.first, lines.depth.start);
        Area::new(from, lines.count, lines.depth.len(), self.across, self.along)
    }

    fn in_place(&self, batch: usize, first: usize, depth: usize) -> Option<(*const T, usize)> {
        self.in_place.then(|| (self.place(batch, first, depth).cast(), self.along as usize))
    }
}
