//! The division of a reduction's iteration space.

use std::ops::Range;

/// A box has at most this many kept places: their sums stay in cache.
pub(super) const MAX_KEPT: usize = 4096;

/// A box has about this many places, or more where there would be more than [`MAX_BOXES`].
const BOX: usize = 32 << 10;
const MAX_BOXES: usize = 64;

/// A grid of boxes over the iteration space, whose sizes depend on nothing but its shape.
#[derive(Clone, Debug)]
pub(super) struct Boxes {
    shape: Vec<usize>,
    reduced: Vec<bool>,
    /// Sizes of the boxes along each axis.
    chunk: Vec<usize>,
    /// Distances between neighbours in the result, 0 along reduced axes.
    result_strides: Vec<usize>,
    /// The number of kept places.
    pub(super) kept: usize,
    pub(super) num_tasks: usize,
    /// How many boxes share each kept place.
    pub(super) num_partials: usize,
}

impl Boxes {
    pub(super) fn new(shape: &[usize], reduced: &[bool], kept: usize) -> Boxes {
        let rank = shape.len();
        let mut chunk = shape.to_vec();
        for axis in (0..rank).filter(|&axis| !reduced[axis]) {
            let others: usize = (0..rank).filter(|&other| other != axis && !reduced[other]).map(|a| chunk[a]).product();
            if others * chunk[axis] > MAX_KEPT {
                chunk[axis] = cut(chunk[axis], (MAX_KEPT / others.max(1)).max(1));
            }
        }
        let target = (shape.iter().product::<usize>() / MAX_BOXES).max(BOX);
        for axis in 0..rank {
            let others: usize = (0..rank).filter(|&other| other != axis).map(|a| chunk[a]).product();
            if others * chunk[axis] > target {
                chunk[axis] = cut(chunk[axis], (target / others.max(1)).max(1));
            }
        }
        let mut result_strides = vec![0; rank];
        let mut stride = 1;
        for axis in (0..rank).rev().filter(|&axis| !reduced[axis]) {
            result_strides[axis] = stride;
            stride *= shape[axis];
        }
        let parts = |axis: usize| shape[axis].div_ceil(chunk[axis].max(1));
        Boxes {
            num_tasks: (0..rank).map(parts).product(),
            num_partials: (0..rank).filter(|&axis| reduced[axis]).map(parts).product(),
            shape: shape.to_vec(),
            reduced: reduced.to_vec(),
            chunk,
            result_strides,
            kept,
        }
    }

    /// The box of a task.
    pub(super) fn walk(&self, task: usize) -> Walk<'_> {
        let (mut rest, mut partial, mut partials, mut num_sums) = (task, 0, 1, 1);
        let mut walk = Walk { boxes: self, task, partial: 0, num_sums: 0 };
        for axis in (0..self.shape.len()).rev() {
            let parts = self.shape[axis].div_ceil(self.chunk[axis]);
            if self.reduced[axis] {
                partial += rest % parts * partials;
                partials *= parts;
            } else {
                num_sums *= walk.bounds(axis).len();
            }
            rest /= parts;
        }
        (walk.partial, walk.num_sums) = (partial, num_sums);
        walk
    }
}

/// Parts of `size` of nearly equal length, at most `limit`.
fn cut(size: usize, limit: usize) -> usize {
    size.div_ceil(size.div_ceil(limit))
}

/// One box.
pub(super) struct Walk<'a> {
    boxes: &'a Boxes,
    task: usize,
    /// The number of the box among those with the same kept places.
    pub(super) partial: usize,
    /// The number of kept places.
    pub(super) num_sums: usize,
}

/// A run of places of a block, to be combined at once.
pub(super) struct Segment {
    pub(super) rows: usize,
    pub(super) len: usize,
    /// The first sum.
    pub(super) sum: usize,
    /// Whether each row has one sum, rather than each column.
    pub(super) is_row: bool,
    /// The sums of all columns: the first, and how many.
    pub(super) columns: (usize, usize),
}

impl Walk<'_> {
    /// The places of the box along an axis.
    fn bounds(&self, axis: usize) -> Range<usize> {
        let Boxes { shape, chunk, .. } = self.boxes;
        let inner: usize = (axis + 1..shape.len()).map(|axis| shape[axis].div_ceil(chunk[axis])).product();
        let part = self.task / inner % shape[axis].div_ceil(chunk[axis]);
        part * chunk[axis]..((part + 1) * chunk[axis]).min(shape[axis])
    }

    /// Calls `run` with each contiguous range of the box.
    pub(super) fn ranges(&self, mut run: impl FnMut(Range<usize>)) {
        let shape = &self.boxes.shape;
        let cut = (0..shape.len()).rev().find(|&axis| self.bounds(axis).len() < shape[axis]).unwrap_or(0);
        let within: usize = shape[cut + 1..].iter().product();
        let bounds = self.bounds(cut);
        let count: usize = (0..cut).map(|axis| self.bounds(axis).len()).product();
        for index in 0..count {
            let (mut rest, mut start, mut stride) = (index, bounds.start * within, within * shape[cut]);
            for axis in (0..cut).rev() {
                let bounds = self.bounds(axis);
                start += (bounds.start + rest % bounds.len()) * stride;
                rest /= bounds.len();
                stride *= shape[axis];
            }
            run(start..start + bounds.len() * within);
        }
    }

    /// The longest run, from a place on and of at most `n` places, that can be combined at once.
    pub(super) fn segment(&self, start: usize, n: usize) -> Segment {
        let Boxes { shape, reduced, .. } = self.boxes;
        let last = shape.len() - 1;
        let (mut rest, mut sum, mut stride) = (start, 0, 1);
        let (mut column, mut row) = (0, 0);
        for axis in (0..=last).rev() {
            let at = rest % shape[axis];
            rest /= shape[axis];
            if !reduced[axis] {
                let bounds = self.bounds(axis);
                sum += (at - bounds.start) * stride;
                stride *= bounds.len();
            }
            if axis == last {
                column = at;
            } else if axis + 1 == last {
                row = at;
            }
        }
        let is_row = reduced[last];
        let bounds = self.bounds(last);
        let columns = if is_row { (sum, 1) } else { (sum - (column - bounds.start), bounds.len()) };
        let whole = n / shape[last];
        if column == 0 && whole > 0 && last > 0 && reduced[last - 1] != is_row {
            let rows = whole.min(self.bounds(last - 1).end - row);
            return Segment { rows, len: shape[last], sum, is_row, columns };
        }
        Segment { rows: 1, len: (bounds.end - column).min(n), sum, is_row, columns }
    }

    /// Calls `write` with the number of a sum, its place in the result, and how many follow it in both.
    pub(super) fn results(&self, mut write: impl FnMut(usize, usize, usize)) {
        let Boxes { shape, reduced, result_strides, .. } = self.boxes;
        let inner = (0..shape.len()).rev().find(|&axis| !reduced[axis]);
        let count = inner.map_or(1, |axis| self.bounds(axis).len());
        for sum in (0..self.num_sums).step_by(count) {
            let (mut rest, mut place) = (sum, 0);
            for axis in (0..shape.len()).rev().filter(|&axis| !reduced[axis]) {
                let bounds = self.bounds(axis);
                place += (bounds.start + rest % bounds.len()) * result_strides[axis];
                rest /= bounds.len();
            }
            write(sum, place, count);
        }
    }
}
