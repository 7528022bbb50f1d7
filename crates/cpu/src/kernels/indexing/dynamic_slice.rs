//! A box of elements at a place given as data.

use gyrus_graph::DType;
use gyrus_graph::ops::indexing::DynamicSlice;

use super::boxes::Boxed;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;

struct DynamicSliceKernel(Boxed);

pub(crate) fn kernel(op: &DynamicSlice, signature: &Signature) -> Box<dyn Kernel> {
    let operand = &signature.inputs[0];
    let index_type = signature.inputs.get(1).map_or(DType::I64, |start| start.dtype);
    Box::new(DynamicSliceKernel(Boxed::new(&operand.shape, &op.sizes, operand.dtype.size(), index_type, 1)))
}

impl Kernel for DynamicSliceKernel {
    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        // SAFETY: the box was made for these operands: `from` lies in the operand, as many bytes from `to` on in
        // the result, each written once.
        unsafe {
            self.0.for_each_row(run, |from, to| {
                let (source, target) = (pointers.input::<u8>(0).add(from.start), pointers.output::<u8>(0).add(to));
                std::ptr::copy_nonoverlapping(source, target, from.len());
            });
        }
    }
}
