//! Replacement of a box of elements at a place given as data.

use gyrus_graph::DType;
use gyrus_graph::ops::indexing::DynamicUpdateSlice;

use super::boxes::Boxed;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split};

struct DynamicUpdateSliceKernel {
    update: Boxed,
    num_bytes: usize,
}

pub(crate) fn kernel(_: &DynamicUpdateSlice, signature: &Signature) -> Box<dyn Kernel> {
    let [operand, update, starts @ ..] = signature.inputs else { unreachable!("two operands and the starts") };
    let index_type = starts.first().map_or(DType::I64, |start| start.dtype);
    let update = Boxed::new(&operand.shape, &update.shape, operand.dtype.size(), index_type, 2);
    Box::new(DynamicUpdateSliceKernel { update, num_bytes: operand.num_bytes() })
}

impl Kernel for DynamicUpdateSliceKernel {
    fn in_place(&self, input: usize, output: usize) -> bool {
        (input, output) == (0, 0)
    }

    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        // SAFETY: the parts lie in the operand and the result, which overlap only where they are the same; the
        // box was made for these operands: `to` lies in the result, as many bytes from `from` on in the update.
        unsafe {
            if !std::ptr::eq(pointers.input::<u8>(0), pointers.output::<u8>(0)) {
                split(run.pool, self.num_bytes, 1 << 15, |part| {
                    let (from, to) =
                        (pointers.input::<u8>(0).add(part.start), pointers.output::<u8>(0).add(part.start));
                    std::ptr::copy_nonoverlapping(from, to, part.len());
                });
            }
            self.update.for_each_row(run, |to, from| {
                let (source, target) = (pointers.input::<u8>(1).add(from), pointers.output::<u8>(0).add(to.start));
                std::ptr::copy_nonoverlapping(source, target, to.len());
            });
        }
    }
}
