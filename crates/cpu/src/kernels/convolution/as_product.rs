//! Convolutions that are plain products of matrices.

use gyrus_graph::DType;

use crate::kernel::{Kernel, Run};
use crate::kernels::gemm::{Arguments, CompiledGemm, Gemm};
use crate::pool::ScratchSize;

struct ProductKernel {
    product: CompiledGemm,
    /// Which inputs are the left and the right operand.
    operands: [usize; 2],
}

/// The kernel that computes a product of two of its inputs.
pub(super) fn kernel(gemm: Gemm, operands: [usize; 2], dtype: DType) -> Box<dyn Kernel> {
    Box::new(ProductKernel { product: gemm.compile(dtype), operands })
}

impl Kernel for ProductKernel {
    fn scratch(&self) -> ScratchSize {
        self.product.scratch()
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let [a, b] = self.operands.map(|index| run.inputs[index]);
        // SAFETY: by this function's own contract; the product is of the operands' sizes.
        unsafe { self.product.run(&Arguments::new(a, b, run.outputs[0]), &run.scratch, run.pool, run.epilogue) }
    }
}
