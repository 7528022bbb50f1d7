//! What attention and its gradient share: sizes, blocks of queries, and masks.
//!
//! Scores are computed transposed, `[keys, queries]`, with the queries of a block side by side: the maximum
//! and the sum of a query's scores are then sums of vectors, and no matrix has to be packed but the block of
//! queries, once.

use gyrus_graph::Spec;

use super::lanes::{Float, LANES};

/// How many keys are scored at once; as many queries as there are lanes.
pub(super) const KEYS: usize = 64;

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

    /// Adds the mask to a block of scores `[keys, LANES]`, and hides the keys that come after a query.
    ///
    /// # Safety
    /// `scores` points to `num_keys` rows of lanes, `mask` to the head's part of the mask; the block's queries
    /// and keys exist.
    pub(super) unsafe fn hide<T: Float>(
        &self,
        scores: *mut T,
        mask: Option<*const T>,
        (query, num_queries): (usize, usize),
        (key, num_keys): (usize, usize),
    ) {
        if let Some(mask) = mask {
            for lane in 0..num_queries {
                for row in 0..num_keys {
                    // SAFETY: as the caller vouches.
                    unsafe {
                        *scores.add(row * LANES + lane) += *mask.add((query + lane) * self.keys + key + row);
                    }
                }
            }
        }
        if self.causal {
            for row in (query + 1).saturating_sub(key)..num_keys {
                let hidden = (key + row - query).min(LANES);
                // SAFETY: the lanes of a row of the scores.
                unsafe { std::slice::from_raw_parts_mut(scores.add(row * LANES), hidden).fill(T::LOWEST) }
            }
        }
    }
}
