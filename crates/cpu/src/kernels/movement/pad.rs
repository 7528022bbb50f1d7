//! Padding at the edges and between elements.

use gyrus_graph::DType;
use gyrus_graph::ops::movement::Pad;

use super::super::elements::with_word;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split};

struct PadKernel {
    op: Pad,
    dtype: DType,
    /// Sizes of the operand's and the result's axes; a scalar as one axis of one element.
    from: Vec<usize>,
    to: Vec<usize>,
}

pub(crate) fn kernel(op: &Pad, signature: &Signature) -> Box<dyn Kernel> {
    let mut op = op.clone();
    let (mut from, mut to) = (signature.inputs[0].shape.to_vec(), signature.outputs[0].shape.to_vec());
    if from.is_empty() {
        (from, to) = (vec![1], vec![1]);
        (op.low, op.high, op.interior) = (vec![0], vec![0], vec![0]);
    }
    Box::new(PadKernel { op, dtype: signature.outputs[0].dtype, from, to })
}

impl PadKernel {
    /// Which row of the operand a row of the result holds, if it is not all padding.
    fn source_row(&self, mut row: usize) -> Option<usize> {
        let (mut source, mut stride) = (0, 1);
        for axis in (0..self.to.len() - 1).rev() {
            let step = self.op.interior[axis] as i64 + 1;
            let place = (row % self.to[axis]) as i64 - self.op.low[axis];
            row /= self.to[axis];
            if place < 0 || place % step != 0 || place / step >= self.from[axis] as i64 {
                return None;
            }
            source += (place / step) as usize * stride;
            stride *= self.from[axis];
        }
        Some(source)
    }

    /// # Safety
    /// The pointers are as [`Run`] states, of elements as large as `T`.
    unsafe fn rows<T: Copy>(&self, pointers: Pointers, rows: std::ops::Range<usize>) {
        let last = self.to.len() - 1;
        let (from, to, low) = (self.from[last], self.to[last], self.op.low[last]);
        let step = self.op.interior[last] + 1;
        // The operand's elements `first..end` appear, element `i` at `low + i * step`.
        let first = ((-low).max(0) as usize).div_ceil(step).min(from);
        let room = (to as i64 - low).max(0) as usize;
        let end = room.div_ceil(step).clamp(first, from);
        let start = (low + (first * step) as i64).max(0) as usize;
        for row in rows {
            // SAFETY: the row lies in the result, `first..end` in the operand's row; their places from `start` by
            // `step` lie in the row.
            unsafe {
                let padding = *pointers.input::<T>(1);
                let result = std::slice::from_raw_parts_mut(pointers.output::<T>(0).add(row * to), to);
                let source = self.source_row(row).filter(|_| end > first);
                let Some(source) = source else {
                    result.fill(padding);
                    continue;
                };
                let operand = pointers.input::<T>(0).add(source * from + first);
                let operand = std::slice::from_raw_parts(operand, end - first);
                if step == 1 {
                    result[..start].fill(padding);
                    result[start..start + operand.len()].copy_from_slice(operand);
                    result[start + operand.len()..].fill(padding);
                } else {
                    result.fill(padding);
                    result[start..].iter_mut().step_by(step).zip(operand).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}

impl Kernel for PadKernel {
    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        let (last, outer) = self.to.split_last().expect("one axis at least");
        if *last == 0 {
            return;
        }
        split(run.pool, outer.iter().product(), (1 << 14) / last, |rows| {
            // SAFETY: by this function's own contract; each range of rows is written by one thread.
            with_word!(self.dtype, T => unsafe { self.rows::<T>(pointers, rows) })
        });
    }
}
