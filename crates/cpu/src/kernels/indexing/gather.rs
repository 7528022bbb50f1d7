//! Windows of an operand at places given as data.

use gyrus_graph::DType;
use gyrus_graph::ops::indexing::Gather;

use super::super::elements::with_word;
use super::windows::{Part, Windows};
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::cache_line::prefetch;
use crate::kernels::split::{Pointers, split};

struct GatherKernel {
    windows: Windows,
    dtype: DType,
}

pub(crate) fn kernel(op: &Gather, signature: &Signature) -> Box<dyn Kernel> {
    let [operand, indices] = signature.inputs else { unreachable!("two operands") };
    let windows = Windows::new(&op.addressing, operand, indices, &signature.outputs[0], &op.window_sizes);
    Box::new(GatherKernel { windows, dtype: operand.dtype })
}

impl Kernel for GatherKernel {
    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        let len = self.windows.run;
        if len == 0 {
            return;
        }
        with_word!(self.dtype, T => split(run.pool, self.windows.num_runs(), (1 << 13) / len, |range| {
            let (operand, result) = (pointers.input::<T>(0), pointers.output::<T>(0));
            // SAFETY: the windows were made for these operands, and moved within the operand.
            unsafe {
                let (indices, part) = (pointers.input(1), Part::Runs(range));
                // Apart, because single elements then are one loop.
                if len == 1 {
                    let next_line = self.windows.next_line();
                    self.windows.for_each(indices, part, true, |to, from| {
                        if let Some(next) = next_line {
                            prefetch(operand.wrapping_add(from + next));
                        }
                        *result.add(to) = *operand.add(from);
                    });
                } else {
                    self.windows.for_each_run(indices, part, true, &mut |to, from| {
                        std::ptr::copy_nonoverlapping(operand.add(from), result.add(to), len);
                    });
                }
            }
        }));
    }
}
