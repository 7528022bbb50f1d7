//! The gradient of a convolution with respect to its input.
//!
//! It is a convolution of the cotangent, with the kernel reversed along its spatial axes and input and output
//! channels exchanged; where the convolution moved by more than one element, zeros stand between those of the
//! cotangent.

use std::marker::PhantomData;

use gyrus_graph::ops::contraction::ConvolutionInputGrad;
use gyrus_graph::{DType, bf16, f16};

use super::as_product;
use super::correlation::Correlation;
use super::geometry::{Axis, Geometry};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::gemm::number::{Number, Stored};
use crate::kernels::gemm::{Gemm, Operand};
use crate::kernels::split::split;
use crate::pool::{Pool, ScratchSize};

struct InputGrad<S, T> {
    /// Of the convolution whose gradient this is.
    geometry: Geometry,
    correlation: Correlation<T>,
    stored: PhantomData<S>,
}

/// The kernel of the gradient.
pub fn kernel(op: &ConvolutionInputGrad, signature: &Signature) -> Box<dyn Kernel> {
    let (dy, w, dx) = (&signature.inputs[0], &signature.inputs[1].shape, &signature.outputs[0].shape);
    let geometry = Geometry::new(&op.window, dx, w, &dy.shape);
    let Geometry { images, groups, in_channels, out_channels, .. } = geometry;
    let (depth, pixels) = (geometry.depth(), geometry.output_pixels());
    if geometry.is_whole() {
        let gemm = Gemm {
            batch: 1,
            m: images,
            n: depth,
            k: out_channels,
            a: Operand::contiguous(images, out_channels),
            b: Operand::contiguous(out_channels, depth),
            c: Operand::contiguous(images, depth),
            accumulate: false,
        };
        return as_product::kernel(gemm, [0, 1], dy.dtype);
    }
    if geometry.is_pointwise() && groups == 1 {
        let gemm = Gemm {
            batch: images,
            m: in_channels,
            n: pixels,
            k: out_channels,
            a: Operand { batch_stride: 0, ..Operand::contiguous(out_channels, in_channels).transposed() },
            b: Operand::contiguous(out_channels, pixels),
            c: Operand::contiguous(in_channels, pixels),
            accumulate: false,
        };
        return as_product::kernel(gemm, [1, 0], dy.dtype);
    }
    match dy.dtype {
        DType::F64 => of_type::<f64, f64>(geometry),
        DType::F16 => of_type::<f16, f32>(geometry),
        DType::BF16 => of_type::<bf16, f32>(geometry),
        _ => of_type::<f32, f32>(geometry),
    }
}

fn of_type<S: Stored<T>, T: Number>(geometry: Geometry) -> Box<dyn Kernel> {
    let reversed = |axis: Axis| Axis {
        input: axis.output,
        output: axis.input,
        stride: 1,
        low: ((axis.kernel - 1) * axis.dilation) as i64 - axis.low,
        ..axis
    };
    let (in_channels, out_channels) = (geometry.out_channels, geometry.in_channels);
    let exchanged = Geometry { in_channels, out_channels, axes: geometry.axes.map(reversed), ..geometry };
    let correlation = Correlation::new::<S>(Isa::get(), exchanged, geometry.axes.map(|axis| axis.stride));
    Box::new(InputGrad::<S, T> { geometry, correlation, stored: PhantomData })
}

impl<S: Stored<T>, T: Number> InputGrad<S, T> {
    fn num_weights(&self) -> usize {
        self.geometry.groups * self.geometry.out_channels * self.geometry.depth()
    }

    /// Writes the weights as `[groups, C, O, kernel..]`, the kernel reversed.
    ///
    /// # Safety
    /// Both pointers are to all weights.
    unsafe fn reverse(&self, w: *const S, to: *mut T, pool: &Pool) {
        struct Pointers<S, T>(*const S, *mut T);
        // SAFETY: threads write to disjoint parts.
        unsafe impl<S, T> Sync for Pointers<S, T> {}
        impl<S, T> Pointers<S, T> {
            fn get(&self) -> (*const S, *mut T) {
                (self.0, self.1)
            }
        }
        let pointers = Pointers(w, to);
        let Geometry { groups, in_channels, out_channels, .. } = self.geometry;
        let taps = self.geometry.taps();
        split(pool, groups * in_channels, (16 << 10) / (out_channels * taps) + 1, |channels| {
            let (w, to) = pointers.get();
            for index in channels {
                let (group, channel) = (index / in_channels, index % in_channels);
                for out_channel in 0..out_channels {
                    // SAFETY: the kernels lie within the weights.
                    unsafe {
                        let from = w.add(((group * out_channels + out_channel) * in_channels + channel) * taps);
                        let to = to.add((index * out_channels + out_channel) * taps);
                        for tap in 0..taps {
                            *to.add(taps - 1 - tap) = (*from.add(tap)).read();
                        }
                    }
                }
            }
        });
    }
}

impl<S: Stored<T>, T: Number> Kernel for InputGrad<S, T> {
    fn scratch(&self) -> ScratchSize {
        let ScratchSize { shared, per_worker } = self.correlation.scratch();
        ScratchSize { shared: shared + self.num_weights() * size_of::<T>(), per_worker }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (dy, w, dx) = (run.inputs[0].cast::<S>(), run.inputs[1].cast::<S>(), run.outputs[0].cast::<S>());
        let reversed: *mut T = run.scratch.shared(self.scratch().shared / size_of::<T>());
        let shared = reversed.wrapping_add(self.num_weights());
        // SAFETY: by this function's own contract.
        unsafe {
            self.reverse(w, reversed, run.pool);
            self.correlation.run(dy, reversed.cast_const(), dx, shared, &run.scratch, run.pool, run.epilogue);
        }
    }
}
