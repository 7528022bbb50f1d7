//! The transformed weights as matrices, and back.

use std::marker::PhantomData;
use std::ops::Range;

use super::matrices::Layout;
use super::minimal::{Kernel, KernelGrad, POINTS, TAPS};
use super::transform::{Abreast, Ahead, Factors, Form, Numbers, PLACES, Read, Square};
use crate::isa::Isa;
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::{MAX_LANES, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::math::{MulAdd, Multiversion};

/// Weights of a kernel.
pub(super) const KERNEL_TAPS: usize = TAPS * TAPS;

/// Weights as a matrix of kernels: of the convolution, or of its gradient for the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// Over how many channels is summed, and the distance between them.
    pub(super) depth: usize,
    pub(super) depth_stride: usize,
    /// How many channels the result has, and the distance between them.
    pub(super) columns: usize,
    pub(super) column_stride: usize,
    /// Whether the kernels are reversed along both axes.
    pub(super) is_reversed: bool,
}

impl Weights {
    /// The weights `[O, C, 3, 3]` of a convolution.
    pub(super) fn of_convolution(geometry: &Geometry) -> Self {
        Weights {
            depth: geometry.in_channels,
            depth_stride: KERNEL_TAPS,
            columns: geometry.out_channels,
            column_stride: geometry.in_channels * KERNEL_TAPS,
            is_reversed: false,
        }
    }

    /// The same weights as those of its gradient for the input.
    pub(super) fn of_input_grad(geometry: &Geometry) -> Self {
        let weights = Weights::of_convolution(geometry);
        Weights {
            depth: weights.columns,
            depth_stride: weights.column_stride,
            columns: weights.depth,
            column_stride: weights.depth_stride,
            is_reversed: true,
        }
    }
}

/// What [`Pack`] works on: a vector of columns.
#[derive(Clone, Copy)]
struct Kernels {
    weights: Weights,
    /// The first column's kernel at the first depth.
    from: *const f32,
    /// How many columns there are.
    count: usize,
    /// Over how many channels is summed.
    depth: usize,
    to: *mut f32,
    layout: Layout,
}

/// Writes a row of each matrix for each depth, or for each pair of them; the partner of an odd one is 0.
struct Pack<S>(PhantomData<S>);

struct PackLoop<V, S>(PhantomData<(V, S)>);

impl<S: Form> VectorLoop<f32> for Pack<S> {
    type Arguments = Kernels;
    type Of<V: Vector<Element = f32>> = PackLoop<V, S>;
}

impl<V: Vector<Element = f32>, S: Form> Multiversion for PackLoop<V, S> {
    type Arguments = Kernels;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(kernels: Kernels) {
        let Kernels { weights, count, .. } = kernels;
        let together = if S::READ == Read::One { 1 } else { 2 };
        // Lanes beyond the last column stay zero.
        let mut taps = [[[0.0f32; MAX_LANES]; KERNEL_TAPS]; 2];
        let mut places = [[taps[0][0].as_ptr(); PLACES]; 2];
        for (places, taps) in places.iter_mut().zip(&taps) {
            for (index, place) in places[..KERNEL_TAPS].iter_mut().enumerate() {
                *place = taps[if weights.is_reversed { KERNEL_TAPS - 1 - index } else { index }].as_ptr();
            }
        }
        let [from, beside] = &places;
        let to = [kernels.to; PLACES];
        let mut square = Square { from: *from, beside, to, channels: V::LANES, ahead: Ahead::default() };
        for row in 0..kernels.depth.div_ceil(together) {
            for (index, taps) in taps[..together].iter_mut().enumerate() {
                let depth = together * row + index;
                if depth == kernels.depth {
                    taps.as_flattened_mut().fill(0.0);
                    continue;
                }
                let from = kernels.from.wrapping_add(depth * weights.depth_stride);
                for first in (0..KERNEL_TAPS).step_by(V::LANES) {
                    let taps = taps[first..].as_mut_ptr().cast::<f32>();
                    let from = |column: usize| from.wrapping_add(column * weights.column_stride + first);
                    // SAFETY: as the caller vouches: the columns' kernels lie within the weights.
                    unsafe { V::transpose(from, count, V::LANES.min(KERNEL_TAPS - first), taps, MAX_LANES) }
                }
            }
            square.to = kernels.layout.places(kernels.to, row);
            // SAFETY: as the caller vouches: the result's matrices lie in `to`.
            unsafe { square.transform::<V, S, Kernel, M, TAPS, POINTS>() }
        }
    }
}

/// What [`Unpack`] works on: a vector of columns.
#[derive(Clone, Copy)]
struct Transformed {
    weights: Weights,
    /// The first column at the first depth.
    from: *const f32,
    layout: Layout,
    /// How many columns there are.
    count: usize,
    depth: usize,
    /// The first column's kernel at the first depth.
    to: *mut f32,
}

struct Unpack;

struct UnpackLoop<V>(PhantomData<V>);

impl VectorLoop<f32> for Unpack {
    type Arguments = Transformed;
    type Of<V: Vector<Element = f32>> = UnpackLoop<V>;
}

impl<V: Vector<Element = f32>> Multiversion for UnpackLoop<V> {
    type Arguments = Transformed;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(transformed: Transformed) {
        let Transformed { weights, count, .. } = transformed;
        let mut taps = [[0.0f32; MAX_LANES]; KERNEL_TAPS];
        let mut square = Square {
            from: [transformed.from; PLACES],
            beside: std::ptr::null(),
            to: [taps[0].as_mut_ptr(); PLACES],
            channels: V::LANES,
            ahead: Ahead::default(),
        };
        for (to, tap) in square.to.iter_mut().zip(&mut taps) {
            *to = tap.as_mut_ptr();
        }
        for depth in 0..transformed.depth {
            // SAFETY: as the caller vouches, as in `PackLoop`.
            unsafe {
                square.from = transformed.layout.places(transformed.from.cast_mut(), depth).map(<*mut f32>::cast_const);
                square.transform::<V, Numbers, KernelGrad, M, POINTS, TAPS>();
                let to = transformed.to.add(depth * weights.depth_stride);
                for first in (0..KERNEL_TAPS).step_by(V::LANES) {
                    let from = |tap: usize| square.to[first + tap].cast_const();
                    V::transpose(from, V::LANES.min(KERNEL_TAPS - first), count, to.add(first), weights.column_stride);
                }
            }
        }
    }
}

/// The loop that packs weights, for panels of `width` columns.
#[derive(Clone, Copy)]
pub(super) struct Packing {
    weights: Weights,
    function: unsafe fn(Kernels),
    /// How many depths make a row.
    together: usize,
    lanes: usize,
    width: usize,
}

impl Packing {
    pub(super) fn new(factors: Factors, weights: Weights, width: usize) -> Self {
        let function = factors.vectorised::<Pack<Numbers>, Pack<Abreast>>();
        Packing { weights, function, together: factors.together(), lanes: f32::lanes(factors.isa), width }
    }

    /// What the matrices depend on besides the weights.
    pub(super) fn form(&self) -> String {
        format!("{} together, {} columns of {:?}", self.together, self.width, self.weights)
    }

    /// Writes a panel's matrices `[rows, width]`.
    ///
    /// # Safety
    /// `w` is all weights, `to` has the matrices.
    pub(super) unsafe fn pack(&self, w: *const f32, panel: usize, rows: Range<usize>, to: *mut f32, layout: Layout) {
        let weights = self.weights;
        let depths = self.together * rows.start..weights.depth.min(self.together * rows.end);
        for first in (0..self.width).step_by(self.lanes) {
            let column = panel * self.width + first;
            let kernels = Kernels {
                weights,
                from: w.wrapping_add(column * weights.column_stride + depths.start * weights.depth_stride),
                count: weights.columns.saturating_sub(column).min(self.lanes),
                depth: depths.len(),
                to: to.wrapping_add(first),
                layout,
            };
            // SAFETY: as the caller vouches; the loop is compiled for this processor.
            unsafe { (self.function)(kernels) }
        }
    }
}

/// The loop that brings gradients for transformed weights back.
#[derive(Clone, Copy)]
pub(super) struct Unpacking {
    weights: Weights,
    function: unsafe fn(Transformed),
    lanes: usize,
}

impl Unpacking {
    pub(super) fn new(isa: Isa, weights: Weights) -> Self {
        Unpacking { weights, function: f32::vectorised::<Unpack>(isa), lanes: f32::lanes(isa) }
    }

    /// Writes the kernels of some columns at some depths.
    ///
    /// # Safety
    /// `u` has the layout and begins with the first of them, `to` is all weights.
    pub(super) unsafe fn unpack(
        &self,
        u: *const f32,
        layout: Layout,
        columns: Range<usize>,
        depths: Range<usize>,
        to: *mut f32,
    ) {
        let weights = self.weights;
        for first in columns.clone().step_by(self.lanes) {
            let transformed = Transformed {
                weights,
                from: u.wrapping_add(first - columns.start),
                layout,
                count: self.lanes.min(columns.end - first),
                depth: depths.len(),
                to: to.wrapping_add(first * weights.column_stride + depths.start * weights.depth_stride),
            };
            // SAFETY: as the caller vouches; the loop is compiled for this processor.
            unsafe { (self.function)(transformed) }
        }
    }
}
