//! Operands one after another.

use std::ops::Range;

use gyrus_graph::DType;
use gyrus_graph::ops::movement::Concatenate;

use super::super::elements::with_word;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split};

/// Pieces of at most so many bytes are copied element by element.
const SHORT: usize = 64;
/// How many bytes of the result get the pieces of one operand after those of another: the first-level cache holds them.
const BLOCK: usize = 1 << 14;

/// The result is a sequence of rows, each made of one piece of each operand.
struct ConcatenateKernel {
    /// The bytes of each operand's piece of a row.
    pieces: Vec<usize>,
    row: usize,
    num_rows: usize,
    dtype: DType,
}

pub(crate) fn kernel(op: &Concatenate, signature: &Signature) -> Box<dyn Kernel> {
    let output = &signature.outputs[0];
    let bytes = |shape: &[usize]| shape[op.axis..].iter().product::<usize>() * output.dtype.size();
    Box::new(ConcatenateKernel {
        pieces: signature.inputs.iter().map(|input| bytes(&input.shape)).collect(),
        row: bytes(&output.shape),
        num_rows: output.shape[..op.axis].iter().product(),
        dtype: output.dtype,
    })
}

impl ConcatenateKernel {
    /// Copies the pieces of each operand at its own distances.
    ///
    /// # Safety
    /// The pointers are as [`Run`] states, of elements as large as `T`.
    unsafe fn short_pieces<T: Copy>(&self, pointers: Pointers, rows: Range<usize>) {
        let row = self.row / size_of::<T>();
        let rows_of_block = (BLOCK / self.row).max(1);
        for start in rows.clone().step_by(rows_of_block) {
            let end = rows.end.min(start + rows_of_block);
            let mut before = 0;
            for (operand, &piece) in self.pieces.iter().enumerate() {
                let (from, to) = (pointers.input::<T>(operand), pointers.output::<T>(0));
                let piece = piece / size_of::<T>();
                for element in 0..piece {
                    for index in start..end {
                        // SAFETY: the row lies in the result, and its piece in the operand.
                        unsafe { *to.add(index * row + before + element) = *from.add(index * piece + element) }
                    }
                }
                before += piece;
            }
        }
    }
}

impl Kernel for ConcatenateKernel {
    unsafe fn run(&self, run: &Run) {
        if self.row == 0 {
            return;
        }
        let pointers = Pointers::of(run);
        if self.pieces.iter().all(|&piece| piece <= SHORT) {
            return split(run.pool, self.num_rows, (1 << 15) / self.row, |rows| {
                // SAFETY: by this function's own contract; each range of rows is written by one thread.
                with_word!(self.dtype, T => unsafe { self.short_pieces::<T>(pointers, rows) })
            });
        }
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
