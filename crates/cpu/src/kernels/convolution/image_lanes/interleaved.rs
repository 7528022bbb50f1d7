//! How a block of images lies in memory as vectors of the same element of each.

use std::marker::PhantomData;

use super::super::geometry::Geometry;
use crate::isa::Isa;
use crate::kernels::gemm::microkernel::Vector;
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::math::{MulAdd, Multiversion};

/// Runs of neighbouring elements of some images.
#[derive(Clone, Copy)]
pub(super) struct Runs<T> {
    /// The first image.
    pub(super) images: *mut T,
    /// How many there are, not more than lanes, and the distance between them.
    pub(super) count: usize,
    pub(super) stride: usize,
    /// The first vector.
    pub(super) vectors: *mut T,
    /// How many runs there are, and of how many elements.
    pub(super) runs: usize,
    pub(super) len: usize,
    /// The distances between them, in an image, and in vectors.
    pub(super) step: usize,
    pub(super) vector_step: usize,
}

/// Brings elements of images into lanes.
pub(super) struct ToLanes<V>(PhantomData<V>);

/// Brings them back.
pub(super) struct FromLanes<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for ToLanes<T> {
    type Arguments = Runs<T>;
    type Of<V: Vector<Element = T>> = ToLanes<V>;
}

impl<T: Number> VectorLoop<T> for FromLanes<T> {
    type Arguments = Runs<T>;
    type Of<V: Vector<Element = T>> = FromLanes<V>;
}

impl<V: Vector> Multiversion for ToLanes<V> {
    type Arguments = Runs<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Runs<V::Element>) {
        let Runs { images, count, stride, vectors, runs, len, step, vector_step } = arguments;
        for run in 0..runs {
            for at in (0..len).step_by(V::LANES) {
                // SAFETY: as the caller vouches, the runs lie within both.
                unsafe {
                    let from = images.add(run * step + at).cast_const();
                    let to = vectors.add((run * vector_step + at) * V::LANES);
                    V::transpose(|image| from.add(image * stride), count, V::LANES.min(len - at), to, V::LANES);
                }
            }
        }
    }
}

impl<V: Vector> Multiversion for FromLanes<V> {
    type Arguments = Runs<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Runs<V::Element>) {
        let Runs { images, count, stride, vectors, runs, len, step, vector_step } = arguments;
        for run in 0..runs {
            for at in (0..len).step_by(V::LANES) {
                // SAFETY: as the caller vouches, the runs lie within both.
                unsafe {
                    let from = vectors.add((run * vector_step + at) * V::LANES).cast_const();
                    let to = images.add(run * step + at);
                    V::transpose(|element| from.add(element * V::LANES), V::LANES.min(len - at), count, to, stride);
                }
            }
        }
    }
}

/// Images with the padding of their last axis. Rows of padding are not there.
#[derive(Clone, Copy)]
pub(super) struct Interleaved<T> {
    to_lanes: unsafe fn(Runs<T>),
    lanes: usize,
    /// Rows of an image, of the channels of all groups, and of one channel.
    rows: usize,
    pub(super) channel_rows: usize,
    /// Elements of a row of the images, and of the block.
    input_row: usize,
    pub(super) row: usize,
    /// Which elements of the rows are there, and where the first of them stands.
    skipped: usize,
    len: usize,
    start: usize,
}

impl<T: Number> Interleaved<T> {
    pub(super) fn new(isa: Isa, geometry: &Geometry) -> Self {
        let [depth, height, last] = geometry.axes;
        let channel_rows = depth.input * height.input;
        let row = if last.is_unpadded() { last.input } else { last.extent() };
        let start = last.low.clamp(0, row as i64) as usize;
        let skipped = ((-last.low).max(0) as usize).min(last.input);
        Interleaved {
            to_lanes: T::vectorised::<ToLanes<T>>(isa),
            lanes: T::lanes(isa),
            rows: geometry.groups * geometry.in_channels * channel_rows,
            channel_rows,
            input_row: last.input,
            row,
            skipped,
            len: (last.input - skipped).min(row - start),
            start,
        }
    }

    /// Elements of a block.
    pub(super) fn block_len(&self) -> usize {
        self.rows * self.row * self.lanes
    }

    /// Writes a block of `count` images, not more than lanes; the others are zeros.
    ///
    /// # Safety
    /// `x` points to the first of the images, `to` to [`Interleaved::block_len`] elements.
    pub(super) unsafe fn write(&self, x: *const T, count: usize, to: *mut T) {
        let Interleaved { rows, input_row, row, skipped, len, start, .. } = *self;
        if len < row || count < self.lanes {
            // SAFETY: as the caller vouches.
            unsafe { std::slice::from_raw_parts_mut(to, self.block_len()) }.fill(T::default());
        }
        // Whole images are one run.
        let (runs, len) = if len == row && len == input_row { (1, rows * row) } else { (rows, len) };
        let arguments = Runs {
            images: x.wrapping_add(skipped).cast_mut(),
            count,
            stride: rows * input_row,
            vectors: to.wrapping_add(start * self.lanes),
            runs,
            len,
            step: input_row,
            vector_step: row,
        };
        // SAFETY: as the caller vouches; images are only read, and the loop is compiled for this processor.
        unsafe { (self.to_lanes)(arguments) }
    }
}
