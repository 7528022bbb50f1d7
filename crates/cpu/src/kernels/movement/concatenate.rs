//! Operands one after another.

use gyrus_graph::ops::movement::Concatenate;

use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split};

/// The result is a sequence of rows, each made of one piece of each operand.
struct ConcatenateKernel {
    /// The bytes of each operand's piece of a row.
    pieces: Vec<usize>,
    row: usize,
    num_rows: usize,
}

pub(crate) fn kernel(op: &Concatenate, signature: &Signature) -> Box<dyn Kernel> {
    let output = &signature.outputs[0];
    let bytes = |shape: &[usize]| shape[op.axis..].iter().product::<usize>() * output.dtype.size();
    Box::new(ConcatenateKernel {
        pieces: signature.inputs.iter().map(|input| bytes(&input.shape)).collect(),
        row: bytes(&output.shape),
        num_rows: output.shape[..op.axis].iter().product(),
    })
}

impl Kernel for ConcatenateKernel {
    unsafe fn run(&self, run: &Run) {
        if self.row == 0 {
            return;
        }
        let pointers = Pointers::of(run);
        split(run.pool, self.num_rows * self.row, 1 << 15, |bytes| {
            let (mut at, end) = (bytes.start, bytes.end);
            while at < end {
                let (row, mut within) = (at / self.row, at % self.row);
                for (operand, &piece) in self.pieces.iter().enumerate() {
                    if within >= piece {
                        within -= piece;
                        continue;
                    }
                    let count = (piece - within).min(end - at);
                    // SAFETY: `within..within + count` lies in the piece of row `row` of this operand, `at..at +
                    // count` in the result; both are valid by `Run`'s contract and do not overlap.
                    unsafe {
                        let from = pointers.input::<u8>(operand).add(row * piece + within);
                        std::ptr::copy_nonoverlapping(from, pointers.output::<u8>(0).add(at), count);
                    }
                    (at, within) = (at + count, 0);
                    if at == end {
                        break;
                    }
                }
            }
        });
    }
}
