//! What attention and its gradient share: sizes, blocks of queries, and masks.
//!
//! Scores are computed transposed, `[keys, queries]`, with the queries of a block side by side: the maximum
//! and the sum of a query's scores are then sums of vectors, and no matrix has to be packed but the block of
//! queries, once.

use std::ops::Range;

use gyrus_graph::{Shape, Spec};

use super::lanes::{Float, LANES};
use crate::kernel::{RowsOf, Strided};
use crate::kernels::gemm::ahead::Area;
use crate::kernels::gemm::product::{Product, Transpose};
use crate::kernels::split::Pointers;
use crate::pool;

/// How many keys are scored at once; as many queries as there are lanes.
pub(super) const KEYS: usize = 128;

/// Where the rows of an operand `[B, H, T, D]` lie in memory; the elements of a row are neighbours.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    offset: usize,
    image: usize,
    head: usize,
    /// Between the rows of a head.
    pub(super) stride: usize,
}

impl Rows {
    pub(super) fn row_major(shape: &Shape) -> Self {
        Rows { offset: 0, image: shape[1] * shape[2] * shape[3], head: shape[2] * shape[3], stride: shape[3] }
    }

    /// Of what lies in memory so, if its rows are such.
    pub(super) fn strided(operand: &Strided) -> Option<Self> {
        let &[image, head, stride, 1] = &operand.strides[..] else { return None };
        let [image, head, stride] = [image, head, stride].map(usize::try_from);
        Some(Rows { offset: operand.offset, image: image.ok()?, head: head.ok()?, stride: stride.ok()? })
    }
}

/// The sizes of the operands.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    batch: usize,
    heads: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    /// Of a query and a key.
    pub(super) size: usize,
    /// Of a value.
    pub(super) value_size: usize,
    pub(super) causal: bool,
    /// Whether there is a mask, and how far apart those of two images and of two heads are.
    mask_strides: Option<[usize; 2]>,
}

impl Heads {
    pub(super) fn new(q: &Spec, v: &Spec, mask: Option<&Spec>, causal: bool) -> Self {
        let [batch, heads, queries, size] = q.shape[..] else { unreachable!("rank 4") };
        let (keys, value_size) = (v.shape[2], v.shape[3]);
        let stride = |mask: &Spec, axis: usize, stride: usize| if mask.shape[axis] == 1 { 0 } else { stride };
        let mask_strides =
            mask.map(|mask| [stride(mask, 0, mask.shape[1] * queries * keys), stride(mask, 1, queries * keys)]);
        Heads { batch, heads, queries, keys, size, value_size, causal, mask_strides }
    }

    /// How many pairs of an image and a head there are.
    pub(super) fn count(&self) -> usize {
        self.batch * self.heads
    }

    /// Where the images of an operand or a result lie, of so many rows of `size` elements for each head: seen from its first
    /// row, or from the beginning of its block.
    pub(super) fn images<T>(&self, rows: Rows, count: usize, size: usize, is_block: bool) -> RowsOf {
        let first = if is_block { rows.offset } else { 0 };
        let last = self.heads.saturating_sub(1) * rows.head + count.saturating_sub(1) * rows.stride;
        let len = first + last + size;
        RowsOf { count: self.batch, stride: rows.image * size_of::<T>(), len: len * size_of::<T>() }
    }

    /// The same for one element of each query, as the sums.
    pub(super) fn images_of_queries<T>(&self) -> RowsOf {
        RowsOf::contiguous(self.batch, self.heads * self.queries * size_of::<T>())
    }

    /// How tasks divide images, if each has as many parts.
    pub(super) fn division(&self, tasks_per_head: usize) -> pool::Rows {
        let (count, tasks_per_part) = (self.batch, self.heads * tasks_per_head);
        pool::Rows { count, unit: 1, parts: count, tasks_per_part }
    }

    /// The element with which the rows of a head begin.
    pub(super) fn start(&self, rows: Rows, head: usize) -> usize {
        rows.offset + head / self.heads * rows.image + head % self.heads * rows.head
    }

    /// Some rows of input `index`, of `size` elements each, which the processor does not foresee: short ones that lie far
    /// apart. Empty if there is no such head.
    pub(super) fn area<T>(
        &self,
        pointers: Pointers,
        (index, rows): (usize, Rows),
        head: usize,
        range: Range<usize>,
        size: usize,
    ) -> Area {
        if head >= self.count() {
            return Area::EMPTY;
        }
        let from = pointers.input::<T>(index).wrapping_add(self.start(rows, head) + range.start * rows.stride).cast();
        let [stride, bytes] = [rows.stride, size].map(|elements| elements * size_of::<T>());
        Area { from, rows: range.len(), stride: stride as isize, bytes }
    }

    pub(super) fn num_blocks(&self) -> usize {
        self.queries.div_ceil(LANES)
    }

    /// The first query of a block, and how many queries are in it.
    pub(super) fn block(&self, block: usize) -> (usize, usize) {
        (block * LANES, LANES.min(self.queries - block * LANES))
    }

    /// One past the last key that a query of those before `end` sees.
    pub(super) fn seen_by(&self, end: usize) -> usize {
        if self.causal { self.keys.min(end) } else { self.keys }
    }

    /// The part of the mask of a head, `[queries, keys]`, if there is one.
    ///
    /// # Safety
    /// `mask` points to the mask.
    pub(super) unsafe fn mask_of<T>(&self, mask: impl FnOnce() -> *const T, head: usize) -> Option<*const T> {
        let [of_image, of_head] = self.mask_strides?;
        // SAFETY: as the caller vouches: the part begins within the mask.
        Some(unsafe { mask().add(head / self.heads * of_image + head % self.heads * of_head) })
    }

    /// Writes what is added to a block of scores to `shift`, `[keys, LANES]`, and returns it; `None` if all keys
    /// are seen as they are.
    ///
    /// # Safety
    /// `shift` points to `num_keys` rows of lanes, `mask` to the head's part of the mask; the block's queries
    /// and keys exist.
    pub(super) unsafe fn shift<T: Float>(
        &self,
        product: &Product<T>,
        mask: Option<*const T>,
        (query, num_queries): (usize, usize),
        (key, num_keys): (usize, usize),
        shift: *mut T,
    ) -> Option<*const T> {
        let first_hidden = (query + 1).saturating_sub(key);
        let is_hidden = self.causal && first_hidden < num_keys;
        // SAFETY: as the caller vouches.
        unsafe {
            match mask {
                Some(mask) => product.transpose(Transpose {
                    rows: mask.add(query * self.keys + key),
                    count: num_queries,
                    row_stride: self.keys,
                    size: num_keys,
                    factor: None,
                    columns: shift,
                }),
                None if is_hidden => std::slice::from_raw_parts_mut(shift, num_keys * LANES).fill(T::ZERO),
                None => return None,
            }
            if is_hidden {
                for row in first_hidden..num_keys {
                    let hidden = (key + row - query).min(LANES);
                    std::slice::from_raw_parts_mut(shift.add(row * LANES), hidden).fill(T::LOWEST);
                }
            }
        }
        Some(shift)
    }
}

/// Rows one after the other: where they are if they lie so, or a copy at `to`.
///
/// # Safety
/// `from` points to `count` rows of `size` elements, `to` to room for them; they do not overlap.
pub(super) unsafe fn gathered<T: Float>(
    from: *const T,
    stride: usize,
    count: usize,
    size: usize,
    to: *mut T,
) -> *const T {
    if stride == size {
        return from;
    }
    for row in 0..count {
        // SAFETY: as the caller vouches.
        unsafe { to.add(row * size).copy_from_nonoverlapping(from.add(row * stride), size) }
    }
    to
}
