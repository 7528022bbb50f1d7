//! The convolution.

use std::marker::PhantomData;

use gyrus_graph::ops::contraction::Convolution;
use gyrus_graph::{DType, bf16, f16};

use super::as_product;
use super::correlation::Correlation;
use super::geometry::Geometry;
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::gemm::number::{Number, Stored};
use crate::kernels::gemm::{Gemm, Operand};
use crate::pool::ScratchSize;

struct Forward<S, T> {
    correlation: Correlation<T>,
    stored: PhantomData<S>,
}

/// The kernel of a convolution.
pub fn kernel(op: &Convolution, signature: &Signature) -> Box<dyn Kernel> {
    let (x, y) = (&signature.inputs[0], &signature.outputs[0]);
    let geometry = Geometry::new(&op.window, &x.shape, &signature.inputs[1].shape, &y.shape);
    let Geometry { images, groups, in_channels, out_channels, .. } = geometry;
    let (depth, pixels) = (geometry.depth(), geometry.output_pixels());
    if geometry.is_whole() {
        let gemm = Gemm {
            batch: 1,
            m: images,
            n: out_channels,
            k: depth,
            a: Operand::contiguous(images, depth),
            b: Operand::contiguous(out_channels, depth).transposed(),
            c: Operand::contiguous(images, out_channels),
            accumulate: false,
        };
        return as_product::kernel(gemm, [0, 1], x.dtype);
    }
    if geometry.is_pointwise() && groups == 1 {
        let gemm = Gemm {
            batch: images,
            m: out_channels,
            n: pixels,
            k: in_channels,
            a: Operand { batch_stride: 0, ..Operand::contiguous(out_channels, in_channels) },
            b: Operand::contiguous(in_channels, pixels),
            c: Operand::contiguous(out_channels, pixels),
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
    let correlation = Correlation::new::<S>(Isa::get(), geometry, [1; 3]);
    Box::new(Forward::<S, T> { correlation, stored: PhantomData })
}

impl<S: Stored<T>, T: Number> Kernel for Forward<S, T> {
    fn scratch(&self) -> ScratchSize {
        self.correlation.scratch()
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (x, w, y) = (run.inputs[0].cast::<S>(), run.inputs[1].cast::<S>(), run.outputs[0].cast::<S>());
        let shared = run.scratch.shared(self.scratch().shared / size_of::<T>());
        // SAFETY: by this function's own contract.
        unsafe { self.correlation.run(x, w, y, shared, &run.scratch, run.pool, run.epilogue) }
    }
}
