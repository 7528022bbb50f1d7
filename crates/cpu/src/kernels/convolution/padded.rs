//! The input with its padding, as rows along which neighbouring places of the kernel meet neighbouring elements.
//!
//! Where the kernel moves by `stride` along the last axis, the elements of a row are divided into `stride` runs:
//! element `q` of the padded row is element `q / stride` of run `q % stride`.

use std::ops::Range;

use super::geometry::{Axis, Geometry};
use crate::kernels::gemm::number::{Number, Stored};
use crate::kernels::split::split;
use crate::pool::Pool;

/// How many elements of images are prepared at a time, if one image has no more.
const MAX_ELEMENTS: usize = 4 << 20;
/// Elements that may be read beyond the last.
const OVERRUN: usize = 64;

/// How padded images lie in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Padded {
    /// Channels of all groups.
    channels: usize,
    axes: [Axis; 3],
    /// The distance between neighbouring elements of the input in the padded one.
    spread: [usize; 3],
    /// Whether the input serves as it is.
    pub(super) is_input: bool,
    /// Sizes of the first two axes of the padded input, how many runs a row has, and how long they are.
    sizes: [usize; 2],
    runs: usize,
    run: usize,
}

impl Padded {
    /// Of `channels` channels. `spread` is greater than 1 where zeros stand between the elements of the input.
    pub(super) fn new(geometry: &Geometry, spread: [usize; 3], is_computed_type: bool) -> Padded {
        let axes = geometry.axes;
        let channels = geometry.groups * geometry.in_channels;
        let is_input = is_computed_type
            && axes.iter().all(Axis::is_unpadded)
            && spread == [1; 3]
            && (axes[2].stride == 1 || axes[2].output == 1);
        let last = axes[2];
        let (sizes, runs, run) = if is_input {
            ([axes[0].input, axes[1].input], 1, last.input)
        } else {
            let runs = if last.kernel == 1 { 1 } else { last.stride };
            let run = last.output + (last.kernel - 1) * last.dilation / last.stride;
            ([axes[0].extent(), axes[1].extent()], runs, run)
        };
        Padded { channels, axes, spread, is_input, sizes, runs, run }
    }

    fn row_len(&self) -> usize {
        self.runs * self.run
    }

    fn channel_len(&self) -> usize {
        self.sizes[0] * self.sizes[1] * self.row_len()
    }

    /// Elements of an image.
    pub(super) fn image_len(&self) -> usize {
        self.channels * self.channel_len()
    }

    /// How many images are prepared at a time, of `images`.
    pub(super) fn chunk(&self, images: usize) -> usize {
        if self.is_input { images } else { (MAX_ELEMENTS / self.image_len().max(1)).clamp(1, images.max(1)) }
    }

    /// Elements of memory for so many images.
    pub(super) fn len(&self, images: usize) -> usize {
        if self.is_input { 0 } else { images * self.image_len() + OVERRUN }
    }

    /// Where element `tap` of the kernel of channel `channel`, at its first place, is within an image.
    pub(super) fn tap(&self, channel: usize, tap: [usize; 3]) -> usize {
        let [depth, row, column] = [0, 1, 2].map(|axis| tap[axis] * self.axes[axis].dilation);
        let row = (channel * self.sizes[0] + depth) * self.sizes[1] + row;
        let stride = if self.is_input { 1 } else { self.axes[2].stride };
        row * self.row_len() + column % stride * self.run + column / stride
    }

    /// The same for each element of the kernels of a group's channels.
    pub(super) fn taps(&self, channels: usize) -> Vec<usize> {
        let [depth, height, width] = self.axes.map(|axis| axis.kernel);
        let tap = |index: usize| {
            let place = [index / (height * width) % depth, index / width % height, index % width];
            self.tap(index / (depth * height * width), place)
        };
        (0..channels * depth * height * width).map(tap).collect()
    }

    /// Whether the kernel's element `tap` at place `place`, along one of the first two axes, meets an element of the
    /// input.
    pub(super) fn is_met(&self, axis: usize, place: usize, tap: usize) -> bool {
        self.source(axis, place * self.axes[axis].stride + tap * self.axes[axis].dilation).is_some()
    }

    /// Where the kernel's place `[depth, row, 0]` begins within a channel.
    pub(super) fn row(&self, depth: usize, row: usize) -> usize {
        (depth * self.axes[0].stride * self.sizes[1] + row * self.axes[1].stride) * self.row_len()
    }

    /// Distance between channels.
    pub(super) fn channel_stride(&self) -> usize {
        self.channel_len()
    }

    /// Writes images.
    ///
    /// # Safety
    /// `x` points to the first of the images, `to` to [`Padded::len`] elements.
    pub(super) unsafe fn prepare<S: Stored<T>, T: Number>(&self, x: *const S, images: usize, to: *mut T, pool: &Pool) {
        struct Pointers<S, T>(*const S, *mut T);
        // SAFETY: threads write to disjoint rows.
        unsafe impl<S, T> Sync for Pointers<S, T> {}
        let pointers = Pointers(x, to);
        let rows = images * self.channels * self.sizes[0] * self.sizes[1];
        let input_row = self.axes[2].input;
        split(pool, rows, (16 << 10) / self.row_len().max(1) + 1, |rows: Range<usize>| {
            let Pointers(x, to) = pointers_of(&pointers);
            for index in rows {
                let (row, rest) = (index % self.sizes[1], index / self.sizes[1]);
                let (depth, channel) = (rest % self.sizes[0], rest / self.sizes[0]);
                let source = self.source(0, depth).zip(self.source(1, row));
                // SAFETY: the rows lie within the input and the memory.
                unsafe {
                    let to = std::slice::from_raw_parts_mut(to.add(index * self.row_len()), self.row_len());
                    let Some((depth, row)) = source else {
                        to.fill(T::default());
                        continue;
                    };
                    let row = (channel * self.axes[0].input + depth) * self.axes[1].input + row;
                    let from = std::slice::from_raw_parts(x.add(row * input_row), input_row);
                    self.prepare_row(from, to);
                }
            }
        });
        fn pointers_of<S, T>(pointers: &Pointers<S, T>) -> Pointers<S, T> {
            Pointers(pointers.0, pointers.1)
        }
    }

    /// Which index of the input stands at a padded one.
    fn source(&self, axis: usize, padded: usize) -> Option<usize> {
        let (place, spread) = (padded as i64 - self.axes[axis].low, self.spread[axis] as i64);
        let is_inside = place >= 0 && place % spread == 0 && place / spread < self.axes[axis].input as i64;
        is_inside.then_some((place / spread) as usize)
    }

    fn prepare_row<S: Stored<T>, T: Number>(&self, from: &[S], to: &mut [T]) {
        let (low, stride, spread) = (self.axes[2].low, self.axes[2].stride as i64, self.spread[2] as i64);
        if stride == 1 && spread == 1 {
            let start = low.clamp(0, to.len() as i64) as usize;
            let skipped = ((-low).max(0) as usize).min(from.len());
            let count = (from.len() - skipped).min(to.len() - start);
            to[..start].fill(T::default());
            S::read_all(&from[skipped..skipped + count], &mut to[start..start + count]);
            to[start + count..].fill(T::default());
            return;
        }
        for (first, run) in to.chunks_exact_mut(self.run).enumerate() {
            for (index, element) in run.iter_mut().enumerate() {
                let place = index as i64 * stride + first as i64 - low;
                let is_inside = place >= 0 && place % spread == 0 && place / spread < from.len() as i64;
                *element = if is_inside { from[(place / spread) as usize].read() } else { T::default() };
            }
        }
    }
}
