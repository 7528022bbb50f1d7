//! The gradient of a convolution with respect to its weights.
//!
//! It is the product of the cotangent with what the kernel's places meet, summed over the places on all images.

use std::marker::PhantomData;

use gyrus_graph::ops::contraction::ConvolutionWeightGrad;
use gyrus_graph::{DType, bf16, f16};

use super::as_product;
use super::geometry::Geometry;
use super::image_lanes::WeightSums;
use super::padded::Padded;
use super::patches::{ByPlace, Images, PatchArguments, TransposedPatches};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::gemm::blocking::{Blocking, Operands, Sizes};
use crate::kernels::gemm::microkernel::Packing;
use crate::kernels::gemm::number::{Number, Stored};
use crate::kernels::gemm::pack::{Lines, Packed, Panels, Strided};
use crate::kernels::gemm::target::{Target, write_row};
use crate::kernels::gemm::{Gemm, Operand};
use crate::pool::ScratchSize;

struct WeightGrad<S, T> {
    geometry: Geometry,
    padded: Padded,
    taps: Vec<usize>,
    /// How many images are prepared at a time.
    chunk: usize,
    /// The product over so many images, and that over those left at the end.
    blocking: Blocking<T>,
    last: Blocking<T>,
    packing: Packing<T>,
    pack: unsafe fn(PatchArguments<T>),
    stored: PhantomData<S>,
}

/// The kernel of the gradient.
pub fn kernel(op: &ConvolutionWeightGrad, signature: &Signature) -> Box<dyn Kernel> {
    let (x, dy) = (&signature.inputs[0], &signature.inputs[1]);
    let geometry = Geometry::new(&op.window, &x.shape, &signature.outputs[0].shape, &dy.shape);
    let Geometry { images, out_channels, .. } = geometry;
    if geometry.is_whole() {
        let depth = geometry.depth();
        let gemm = Gemm {
            batch: 1,
            m: out_channels,
            n: depth,
            k: images,
            a: Operand::contiguous(images, out_channels).transposed(),
            b: Operand::contiguous(images, depth),
            c: Operand::contiguous(out_channels, depth),
            accumulate: false,
        };
        return as_product::kernel(gemm, [1, 0], x.dtype);
    }
    match x.dtype {
        DType::F64 => of_type::<f64, f64>(geometry),
        DType::F16 => of_type::<f16, f32>(geometry),
        DType::BF16 => of_type::<bf16, f32>(geometry),
        _ => of_type::<f32, f32>(geometry),
    }
}

fn of_type<S: Stored<T>, T: Number>(geometry: Geometry) -> Box<dyn Kernel> {
    let isa = Isa::get();
    if S::IS_SAME
        && let Some(sums) = WeightSums::<T>::new(isa, &geometry)
    {
        return Box::new(sums);
    }
    let padded = Padded::new(&geometry, [1; 3], S::IS_SAME);
    // Sums over chunks are kept in the result, which must not be rounded between them.
    let chunk = if S::IS_SAME { padded.chunk(geometry.images) } else { geometry.images };
    let blocking = |images: usize| {
        let sizes = Sizes {
            batch: geometry.groups,
            m: geometry.out_channels,
            n: geometry.depth(),
            k: images * geometry.output_pixels(),
            is_left_shared: false,
            is_left_transposed: false,
            is_right_transposed: false,
            is_direct: S::IS_SAME,
        };
        Blocking::new(isa, sizes)
    };
    let last = if chunk == 0 { 0 } else { geometry.images - (geometry.images.div_ceil(chunk) - 1) * chunk };
    Box::new(WeightGrad::<S, T> {
        geometry,
        padded,
        taps: padded.taps(geometry.in_channels),
        chunk,
        blocking: blocking(chunk),
        last: blocking(last),
        packing: T::packing(isa),
        pack: T::vectorised::<ByPlace<T>>(isa),
        stored: PhantomData,
    })
}

/// The left operand: lines are channels, depths places on one image after the other.
struct Cotangents<S, T> {
    /// By image and group.
    channels: Strided<S, T>,
    groups: usize,
    places: usize,
}

impl<S: Stored<T>, T: Number> Panels<T> for Cotangents<S, T> {
    unsafe fn pack(&self, lines: &Lines, panels: Packed<T>) {
        let depth = &lines.depth;
        let mut at = depth.start;
        while at < depth.end {
            let (image, place) = (at / self.places, at % self.places);
            let end = self.places.min(place + depth.end - at);
            let of_image = Lines { batch: image * self.groups + lines.batch, depth: place..end, ..lines.clone() };
            let to = panels.to.wrapping_add((at - depth.start) * panels.width);
            // SAFETY: as the caller vouches.
            unsafe { self.channels.pack(&of_image, Packed { to, ..panels }) }
            at += end - place;
        }
    }
}

impl<S: Stored<T>, T: Number> Kernel for WeightGrad<S, T> {
    fn scratch(&self) -> ScratchSize {
        let ScratchSize { shared, per_worker } = self.blocking.scratch().max(self.last.scratch());
        ScratchSize { shared: shared + self.padded.len(self.chunk) * size_of::<T>(), per_worker }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (x, dy) = (run.inputs[0].cast::<S>(), run.inputs[1].cast::<S>());
        let Geometry { images, groups, in_channels, out_channels, .. } = self.geometry;
        let places = self.geometry.output_pixels();
        let shared: *mut T = run.scratch.shared(self.scratch().shared / size_of::<T>());
        let rest = shared.wrapping_add(self.padded.len(self.chunk));
        let mut first = 0;
        loop {
            let count = self.chunk.min(images - first);
            let is_last = first + count == images;
            let c = Operand::contiguous(out_channels, self.geometry.depth());
            let target = Target {
                c: run.outputs[0],
                batch_stride: c.batch_stride,
                row_stride: c.row_stride,
                col_stride: c.col_stride,
                accumulate: first > 0,
                write: write_row::<S, T>,
                element_size: size_of::<S>(),
            };
            let from = x.wrapping_add(first * groups * in_channels * self.geometry.input_pixels());
            let channels = dy.wrapping_add(first * groups * out_channels * places);
            let channels = Strided::rows(channels, Operand::contiguous(out_channels, places), self.packing);
            let a = Cotangents { channels, groups, places };
            // SAFETY: by this function's own contract.
            unsafe {
                let from = if self.padded.is_input {
                    from.cast::<T>()
                } else {
                    self.padded.prepare(from, count, shared, run.pool);
                    shared.cast_const()
                };
                let (geometry, padded) = (&self.geometry, &self.padded);
                let images = Images { from, geometry, padded, taps: &self.taps };
                let b = TransposedPatches { images, pack: self.pack };
                let epilogue = run.epilogue.filter(|_| is_last);
                let operands = Operands::new(&a, &b, target, epilogue, 0);
                let blocking = if is_last { &self.last } else { &self.blocking };
                blocking.run(&operands, rest, &run.scratch, run.pool);
            }
            first += count;
            if is_last {
                return;
            }
        }
    }
}
