//! Correlations of small images: a vector of output channels for some neighbouring places at a time, straight from
//! the images.

use std::marker::PhantomData;

use super::few_channels::Pointers;
use super::geometry::Geometry;
use super::padded::Padded;
use crate::isa::Isa;
use crate::kernels::gemm::microkernel::{MAX_LANES, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::gemm::pack::{PANEL_PADDING, PackArguments};
use crate::math::{MulAdd, Multiversion};
use crate::pool::Pool;

/// The largest image, so that it stays in the first-level cache, and the most weights of a channel.
const MAX_IMAGE: usize = 6 << 10;
const MAX_DEPTH: usize = 1024;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 256 << 10;
/// The most places that are computed together.
const MAX_PLACES: usize = 14;

/// What [`Lanes`] works on: one image, or one group of its channels.
#[derive(Clone, Copy)]
struct Image<T> {
    /// Where places that are computed together begin, in a channel of the image and in one of the result.
    parts: *const [(usize, usize)],
    taps: *const [usize],
    x: *const T,
    /// For each vector of channels, `[depth, lanes]`.
    w: *const T,
    y: *mut T,
    channels: usize,
    /// Elements of a channel of the result.
    channel: usize,
}

/// The loop for `P` places.
struct Lanes<V, const P: usize>(PhantomData<V>);

impl<T: Number, const P: usize> VectorLoop<T> for Lanes<T, P> {
    type Arguments = Image<T>;
    type Of<V: Vector<Element = T>> = Lanes<V, P>;
}

impl<V: Vector, const P: usize> Multiversion for Lanes<V, P> {
    type Arguments = Image<V::Element>;

    #[inline(always)]
    unsafe fn run<Add: MulAdd>(image: Image<V::Element>) {
        // SAFETY: as the caller vouches, the tables outlive the call.
        let (parts, taps) = unsafe { (&*image.parts, &*image.taps) };
        for first in (0..image.channels).step_by(V::LANES) {
            let count = V::LANES.min(image.channels - first);
            for &(from, to) in parts {
                // SAFETY: as the caller vouches: the places lie within the image and the result, for each tap.
                unsafe {
                    let mut sums = [V::splat(V::Element::default()); P];
                    let mut w = image.w.add(first * taps.len());
                    let x = image.x.add(from);
                    for &tap in taps {
                        let (vector, x) = (V::load(w), x.add(tap));
                        for (place, sum) in sums.iter_mut().enumerate() {
                            *sum = V::splat(*x.add(place)).mul_add::<Add>(vector, *sum);
                        }
                        w = w.add(V::LANES);
                    }
                    let mut tile = [[V::Element::default(); MAX_LANES]; P];
                    for (row, sum) in tile.iter_mut().zip(sums) {
                        sum.store(row.as_mut_ptr());
                    }
                    let y = image.y.add(first * image.channel + to);
                    V::transpose(|row| tile[row].as_ptr(), P, count, y, image.channel);
                }
            }
        }
    }
}

/// A correlation of small images.
pub(super) struct ChannelLanes<T> {
    function: unsafe fn(Image<T>),
    packing: unsafe fn(PackArguments<T>),
    parts: Vec<(usize, usize)>,
    taps: Vec<usize>,
    lanes: usize,
    channels: usize,
    /// Elements of a channel of the result.
    channel: usize,
}

impl<T: Number> ChannelLanes<T> {
    /// The correlation, if the images are small and the output channels fill vectors.
    pub(super) fn new(isa: Isa, geometry: &Geometry, padded: &Padded) -> Option<Self> {
        let (lanes, channels) = (T::lanes(isa), geometry.out_channels);
        let [depth, height, width] = geometry.axes.map(|axis| axis.output);
        let is_filled = channels * 4 >= channels.next_multiple_of(lanes) * 3;
        let most = if matches!(isa, Isa::Avx512 | Isa::Neon) { MAX_PLACES } else { 12 };
        let places = width.div_ceil(width.div_ceil(most));
        if !is_filled || padded.image_len() > MAX_IMAGE || geometry.depth() > MAX_DEPTH || places < 4 {
            return None;
        }
        macro_rules! of_places {
            ($($places:literal)*) => {
                match places {
                    $($places => T::vectorised::<Lanes<T, $places>>(isa),)*
                    _ => return None,
                }
            };
        }
        let function = of_places!(4 5 6 7 8 9 10 11 12 13 14);
        let mut parts = vec![];
        for row in 0..depth * height {
            for column in (0..width).step_by(places) {
                // The last places of a row are computed together with some before them, to the same bits.
                let column = column.min(width - places);
                parts.push((padded.row(row / height, row % height) + column, row * width + column));
            }
        }
        Some(ChannelLanes {
            function,
            packing: T::packing(isa),
            parts,
            taps: padded.taps(geometry.in_channels),
            lanes,
            channels,
            channel: geometry.output_pixels(),
        })
    }

    fn group_weights(&self) -> usize {
        self.channels.next_multiple_of(self.lanes) * self.taps.len()
    }

    /// Elements of the packed weights.
    pub(super) fn weights_len(&self, groups: usize) -> usize {
        groups * self.group_weights() + PANEL_PADDING
    }

    /// Computes images of `groups` groups of `group_len` elements each, and calls `finished(first, len, worker)` for
    /// the parts of the result.
    ///
    /// # Safety
    /// `x`, `w` and `y` are as the geometry says, `packed` has [`ChannelLanes::weights_len`] elements.
    pub(super) unsafe fn run(
        &self,
        [images, groups, group_len]: [usize; 3],
        Pointers { x, w, y }: Pointers<T>,
        packed: *mut T,
        pool: &Pool,
        finished: &(dyn Fn(usize, usize, usize) + Sync),
    ) {
        let (channels, depth, result) = (self.channels, self.taps.len(), self.channels * self.channel);
        let of_packing = Pointers { x, w, y: packed };
        pool.run(1, &|_, _| {
            let Pointers { w, y: packed, .. } = of_packing.get();
            for group in 0..groups {
                for first in (0..channels).step_by(self.lanes) {
                    let arguments = PackArguments {
                        from: w.wrapping_add((group * channels + first) * depth),
                        across: depth as isize,
                        along: 1,
                        count: self.lanes.min(channels - first),
                        width: self.lanes,
                        depth,
                        to: packed.wrapping_add(group * self.group_weights() + first * depth),
                        stride: 0,
                    };
                    // SAFETY: as the caller vouches; the loop is compiled for this processor.
                    unsafe { (self.packing)(arguments) }
                }
            }
        });
        let pointers = Pointers { x, w: packed, y };
        let count = images * groups;
        let tasks = (count * result * depth).div_ceil(TASK_WORK).min(count);
        pool.run(tasks, &|task, worker| {
            let Pointers { x, w, y } = pointers.get();
            let range = count * task / tasks..count * (task + 1) / tasks;
            for index in range.clone() {
                let image = Image {
                    parts: &raw const self.parts[..],
                    taps: &raw const self.taps[..],
                    x: x.wrapping_add(index * group_len),
                    w: w.wrapping_add(index % groups * self.group_weights()),
                    y: y.wrapping_add(index * result),
                    channels,
                    channel: self.channel,
                };
                // SAFETY: as the caller vouches; the loop is compiled for this processor.
                unsafe { (self.function)(image) }
            }
            finished(range.start * result, range.len() * result, worker);
        });
    }
}
