//! What stays in a core's cache, and what the cores share.

use std::ops::Range;

/// The most tiles for which weights are transformed anew.
pub(super) const CHUNK: usize = 128;
/// How many panels of columns are tasks enough.
const ENOUGH_PANELS: usize = 4;
/// How many transforms of vectors are worth a task, and the lanes of such a vector.
const TASK_VECTORS: usize = 64;
const VECTOR: usize = 16;

/// How the work is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Many tiles meet the same transformed weights.
    Tiles,
    /// Transformed weights are larger than transformed tiles, so that those of a task never leave its core.
    Weights,
}

impl Order {
    pub(super) fn new(tiles: usize, panels: usize) -> Self {
        if tiles <= CHUNK && panels >= ENOUGH_PANELS { Order::Weights } else { Order::Tiles }
    }
}

/// Tasks of `len` tiles of so many channels, all of which are transformed.
pub(super) fn transform_tasks(len: usize, channels: usize) -> usize {
    (len * channels.div_ceil(VECTOR)).div_ceil(TASK_VECTORS).min(len)
}

/// Part `index` of `len` items, divided evenly into `parts`.
pub(super) fn part(len: usize, index: usize, parts: usize) -> Range<usize> {
    len * index / parts..len * (index + 1) / parts
}
