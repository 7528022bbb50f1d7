//! An operand `[N, C, inner]` by channels.

use std::ops::Range;

use super::lanes::{Float, LANES, Lanes};
use crate::kernels::gemm::Epilogue;
use crate::math::MulAdd;

/// How many elements of a channel are summed twice, first for their mean, then for their variance, while
/// they stay in the cache.
const CHUNK: usize = 4096;

/// The sizes of the operand.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    batch: usize,
    pub(super) channels: usize,
    inner: usize,
}

impl Channels {
    pub(super) fn new(shape: &[usize]) -> Self {
        Channels { batch: shape[0], channels: shape[1], inner: shape[2..].iter().product() }
    }

    /// The number of elements of a channel.
    pub(super) fn count(&self) -> usize {
        self.batch * self.inner
    }

    /// One or, where images have few elements of a channel, as many as fill the lanes.
    fn channels_per_tile(&self) -> usize {
        (LANES / self.inner.max(1)).max(1)
    }

    pub(super) fn num_tiles(&self) -> usize {
        self.channels.div_ceil(self.channels_per_tile())
    }

    #[inline(always)]
    pub(super) fn tile(&self, index: usize) -> Tile {
        let first = index * self.channels_per_tile();
        let num_channels = self.channels_per_tile().min(self.channels - first);
        let (stride, start) = (self.channels * self.inner, first * self.inner);
        Tile {
            first,
            num_channels,
            batch: self.batch,
            stride,
            start,
            run: num_channels * self.inner,
            inner: self.inner,
        }
    }
}

/// One channel, or several short ones side by side: in each image a run of neighbouring elements.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) first: usize,
    pub(super) num_channels: usize,
    batch: usize,
    /// From one image's run to the next one's.
    stride: usize,
    start: usize,
    run: usize,
    inner: usize,
}

impl Tile {
    /// Images, and pieces of their runs, that are few enough elements to stay in the cache; together they are
    /// all.
    #[inline(always)]
    pub(super) fn chunks(self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let images = (CHUNK / self.run.max(1)).max(1);
        let starts = (0..self.batch).step_by(images);
        starts.flat_map(move |image| {
            let end = self.batch.min(image + images);
            (0..self.run).step_by(CHUNK).map(move |at| (image..end, at..self.run.min(at + CHUNK)))
        })
    }

    /// Where an image's run begins.
    #[inline(always)]
    pub(super) fn begin(&self, image: usize) -> usize {
        image * self.stride + self.start
    }

    /// All images, and their whole runs.
    #[inline(always)]
    pub(super) fn all(&self) -> (Range<usize>, Range<usize>) {
        (0..self.batch, 0..self.run)
    }

    /// For each lane the parameter of its channel: `of(i)` for channel `first + i`.
    #[inline(always)]
    pub(super) fn spread<T: Float>(&self, of: impl Fn(usize) -> T) -> Lanes<T> {
        if self.num_channels == 1 {
            return [of(0); LANES];
        }
        let mut lanes = [T::ZERO; LANES];
        for (index, lane) in lanes[..self.run].iter_mut().enumerate() {
            *lane = of(index / self.inner);
        }
        lanes
    }

    /// The sum of the lanes of each channel, in the first elements.
    #[inline(always)]
    pub(super) fn sums<T: Float, M: MulAdd>(&self, lanes: Lanes<T>) -> Lanes<T> {
        let mut sums = [T::ZERO; LANES];
        if self.num_channels == 1 {
            sums[0] = T::total_of::<M>(lanes);
            return sums;
        }
        for (index, lane) in lanes[..self.run].iter().enumerate() {
            sums[index / self.inner] += *lane;
        }
        sums
    }

    /// Does what follows on the tile of a result.
    pub(super) fn finish(&self, epilogue: Option<&dyn Epilogue>, worker: usize) {
        if let Some(epilogue) = epilogue {
            (0..self.batch).for_each(|image| epilogue.region(self.begin(image), 1, self.run, self.run, worker));
        }
    }

    /// The number of elements of one channel in a chunk.
    #[inline(always)]
    pub(super) fn count_in(&self, images: &Range<usize>, pieces: &Range<usize>) -> usize {
        images.len() * pieces.len() / self.num_channels
    }
}
