//! Correlations with few output channels: all are computed together for neighbouring places, a vector of them at
//! a time, straight from the images.

use std::marker::PhantomData;
use std::ops::Range;

use super::geometry::Geometry;
use super::padded::Padded;
use crate::isa::Isa;
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::gemm::pack::{PANEL_PADDING, PackArguments};
use crate::math::{MulAdd, Multiversion};
use crate::pool::Pool;

/// The most vectors of places that are computed together.
const MAX_PIECES: usize = 4;
/// How many multiplications are worth a task.
const TASK_WORK: usize = 256 << 10;

/// Places that are computed together.
#[derive(Clone, Debug)]
struct Part {
    /// Where each vector of them begins, in a channel of the image and in one of the result.
    from: [usize; MAX_PIECES],
    to: [usize; MAX_PIECES],
    len: [usize; MAX_PIECES],
    /// The elements of the kernel that meet more than padding.
    taps: Range<usize>,
}

/// An element of the kernels: where it is in the image, and which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tap {
    from: u32,
    index: u32,
}

/// What [`Places`] works on: one image, or one group of its channels.
#[derive(Clone, Copy)]
struct Image<T> {
    parts: *const [Part],
    taps: *const [Tap],
    x: *const T,
    /// `[depth, channels]`.
    w: *const T,
    y: *mut T,
    /// Elements of a channel of the result.
    channel: usize,
}

/// The loop for `M` channels and `P` vectors.
struct Places<V, const M: usize, const P: usize>(PhantomData<V>);

impl<T: Number, const M: usize, const P: usize> VectorLoop<T> for Places<T, M, P> {
    type Arguments = Image<T>;
    type Of<V: Vector<Element = T>> = Places<V, M, P>;
}

impl<V: Vector, const M: usize, const P: usize> Multiversion for Places<V, M, P> {
    type Arguments = Image<V::Element>;

    #[inline(always)]
    unsafe fn run<Add: MulAdd>(image: Image<V::Element>) {
        // SAFETY: as the caller vouches, the tables outlive the call.
        let (parts, taps) = unsafe { (&*image.parts, &*image.taps) };
        for part in parts {
            // SAFETY: as the caller vouches: the taps' places lie within the image, the places in the result.
            unsafe {
                let mut sums = [[V::splat(V::Element::default()); P]; M];
                for tap in &taps[part.taps.clone()] {
                    let x = image.x.add(tap.from as usize);
                    let mut vectors = [V::splat(V::Element::default()); P];
                    for (piece, vector) in vectors.iter_mut().enumerate() {
                        *vector = V::load_first(x.add(part.from[piece]), part.len[piece]);
                    }
                    let w = image.w.add(tap.index as usize * M);
                    for (channel, sums) in sums.iter_mut().enumerate() {
                        let factor = V::splat(*w.add(channel));
                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                            *sum = factor.mul_add::<Add>(vector, *sum);
                        }
                    }
                }
                for (channel, sums) in sums.iter().enumerate() {
                    let y = image.y.add(channel * image.channel);
                    for (piece, sum) in sums.iter().enumerate() {
                        sum.store_first(y.add(part.to[piece]), part.len[piece]);
                    }
                }
            }
        }
    }
}

/// A correlation of few output channels.
pub(super) struct FewChannels<T> {
    function: unsafe fn(Image<T>),
    packing: unsafe fn(PackArguments<T>),
    parts: Vec<Part>,
    taps: Vec<Tap>,
    channels: usize,
    depth: usize,
    /// Elements of a channel of the result.
    channel: usize,
}

impl<T: Number> FewChannels<T> {
    /// The correlation, if it has few output channels.
    pub(super) fn new(isa: Isa, geometry: &Geometry, padded: &Padded) -> Option<Self> {
        let channels = geometry.out_channels;
        let has_32_registers = matches!(isa, Isa::Avx512 | Isa::Neon);
        if channels > if has_32_registers { 8 } else { 6 } || padded.image_len() > u32::MAX as usize {
            return None;
        }
        let (function, num_pieces) = match channels {
            1 => (T::vectorised::<Places<T, 1, 4>>(isa), 4),
            2 => (T::vectorised::<Places<T, 2, 4>>(isa), 4),
            3 => (T::vectorised::<Places<T, 3, 4>>(isa), 4),
            4 => (T::vectorised::<Places<T, 4, 2>>(isa), 2),
            5 => (T::vectorised::<Places<T, 5, 2>>(isa), 2),
            6 => (T::vectorised::<Places<T, 6, 2>>(isa), 2),
            7 => (T::vectorised::<Places<T, 7, 2>>(isa), 2),
            _ => (T::vectorised::<Places<T, 8, 2>>(isa), 2),
        };
        let lanes = T::lanes(isa);
        let mut few = FewChannels {
            function,
            packing: T::packing(isa),
            parts: vec![],
            taps: vec![],
            channels,
            depth: geometry.depth(),
            channel: geometry.output_pixels(),
        };
        let [depth, height, width] = geometry.axes.map(|axis| axis.output);
        // Pieces of rows: depth, row, column.
        let rows = (0..depth).flat_map(|depth| (0..height).map(move |row| (depth, row)));
        let pieces: Vec<[usize; 3]> =
            rows.flat_map(|(depth, row)| (0..width).step_by(lanes).map(move |column| [depth, row, column])).collect();
        for together in pieces.chunks(num_pieces) {
            let mut part = Part { from: [0; MAX_PIECES], to: [0; MAX_PIECES], len: [0; MAX_PIECES], taps: 0..0 };
            for (index, &[depth, row, column]) in together.iter().enumerate() {
                part.from[index] = padded.row(depth, row) + column;
                part.to[index] = (depth * height + row) * width + column;
                part.len[index] = lanes.min(width - column);
            }
            let taps = few.taps_of(geometry, padded, together);
            part.taps = match few.parts.last() {
                Some(last) if few.taps[last.taps.clone()] == taps[..] => last.taps.clone(),
                _ => {
                    few.taps.extend(&taps);
                    few.taps.len() - taps.len()..few.taps.len()
                }
            };
            few.parts.push(part);
        }
        Some(few)
    }

    /// The elements of the kernels that meet more than rows of padding at one of the pieces.
    fn taps_of(&self, geometry: &Geometry, padded: &Padded, pieces: &[[usize; 3]]) -> Vec<Tap> {
        let [depth, height, width] = geometry.axes.map(|axis| axis.kernel);
        let mut taps = vec![];
        for index in 0..self.depth {
            let place = [index / (height * width) % depth, index / width % height, index % width];
            let is_met = |piece: &[usize; 3]| (0..2).all(|axis| padded.is_met(axis, piece[axis], place[axis]));
            if pieces.iter().any(is_met) {
                let from = padded.tap(index / (depth * height * width), place) as u32;
                taps.push(Tap { from, index: index as u32 });
            }
        }
        taps
    }

    /// Elements of the packed weights.
    pub(super) fn weights_len(&self, groups: usize) -> usize {
        groups * self.channels * self.depth + PANEL_PADDING
    }

    /// Computes images of `groups` groups of `group_len` elements each, and calls `finished(first, len, worker)` for
    /// the parts of the result.
    ///
    /// # Safety
    /// `x`, `w` and `y` are as the geometry says, `packed` has [`FewChannels::weights_len`] elements.
    pub(super) unsafe fn run(
        &self,
        [images, groups, group_len]: [usize; 3],
        Pointers { x, w, y }: Pointers<T>,
        packed: *mut T,
        pool: &Pool,
        finished: &(dyn Fn(usize, usize, usize) + Sync),
    ) {
        let (channels, depth) = (self.channels, self.depth);
        let of_packing = Pointers { x, w, y: packed };
        pool.run(1, &|_, _| {
            let Pointers { w, y: packed, .. } = of_packing.get();
            for group in 0..groups {
                let arguments = PackArguments {
                    from: w.wrapping_add(group * channels * depth),
                    across: depth as isize,
                    along: 1,
                    count: channels,
                    width: channels,
                    depth,
                    to: packed.wrapping_add(group * channels * depth),
                    stride: 0,
                };
                // SAFETY: as the caller vouches; the loop is compiled for this processor.
                unsafe { (self.packing)(arguments) }
            }
        });
        let channel = self.channel;
        let pointers = Pointers { x, w: packed, y };
        let count = images * groups;
        let tasks = (count * channels * depth * channel).div_ceil(TASK_WORK).min(count);
        pool.run(tasks, &|task, worker| {
            let Pointers { x, w, y } = pointers.get();
            let range = count * task / tasks..count * (task + 1) / tasks;
            for index in range.clone() {
                // SAFETY: as the caller vouches; the tables live as long as the call.
                unsafe {
                    (self.function)(Image {
                        parts: &raw const self.parts[..],
                        taps: &raw const self.taps[..],
                        x: x.add(index * group_len),
                        w: w.add(index % groups * channels * depth),
                        y: y.add(index * channels * channel),
                        channel,
                    });
                }
            }
            finished(range.start * channels * channel, range.len() * channels * channel, worker);
        });
    }
}

/// The operands' first elements.
#[derive(Clone, Copy)]
pub(super) struct Pointers<T> {
    pub(super) x: *const T,
    pub(super) w: *const T,
    pub(super) y: *mut T,
}

// SAFETY: tasks write to disjoint parts of `y`.
unsafe impl<T> Sync for Pointers<T> {}

impl<T: Copy> Pointers<T> {
    pub(super) fn get(&self) -> Self {
        *self
    }
}
