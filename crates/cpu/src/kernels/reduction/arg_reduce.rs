//! Where along an axis the extremum is.

use std::ops::Range;

use gyrus_graph::DType;
use gyrus_graph::ops::reduction::{ArgReduce, Extremum};

use super::super::elements::{Arithmetic, with_element};
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::{Pointers, split};

/// The operand as `[outer, size, inner]`, the reduced axis in the middle.
struct ArgReduceKernel {
    extremum: Extremum,
    dtype: DType,
    outer: usize,
    size: usize,
    inner: usize,
}

pub(crate) fn kernel(op: &ArgReduce, signature: &Signature) -> Box<dyn Kernel> {
    let shape = &signature.inputs[0].shape;
    Box::new(ArgReduceKernel {
        extremum: op.extremum,
        dtype: signature.inputs[0].dtype,
        outer: shape[..op.axis].iter().product(),
        size: shape[op.axis],
        inner: shape[op.axis + 1..].iter().product(),
    })
}

/// How many neighbouring results are found together.
const WIDTH: usize = 64;

impl ArgReduceKernel {
    /// # Safety
    /// The pointers are as [`Run`] states, of elements of type `T`.
    unsafe fn results<T: Arithmetic>(&self, pointers: Pointers, results: Range<usize>, beats: impl Fn(T, T) -> bool) {
        if self.inner == 1 {
            for row in results {
                // SAFETY: row `row` lies in the operand, and result `row` in the result.
                unsafe {
                    let x = std::slice::from_raw_parts(pointers.input::<T>(0).add(row * self.size), self.size);
                    *pointers.output::<i64>(0).add(row) = first_in_row(x, &beats) as i64;
                }
            }
            return;
        }
        let mut at = results.start;
        while at < results.end {
            let (outer, column) = (at / self.inner, at % self.inner);
            let width = WIDTH.min(self.inner - column).min(results.end - at);
            // SAFETY: the columns `column..column + width` of each of the `size` rows lie in the operand, the
            // results `at..at + width` in the result.
            unsafe {
                let x = pointers.input::<T>(0).add(outer * self.size * self.inner + column);
                let mut best = [*x; WIDTH];
                let mut index = [0i64; WIDTH];
                best[..width].copy_from_slice(std::slice::from_raw_parts(x, width));
                for row in 1..self.size {
                    let values = std::slice::from_raw_parts(x.add(row * self.inner), width);
                    for ((&value, best), index) in values.iter().zip(&mut best).zip(&mut index) {
                        let wins = !best.is_nan() && (value.is_nan() || beats(value, *best));
                        *best = if wins { value } else { *best };
                        *index = if wins { row as i64 } else { *index };
                    }
                }
                std::ptr::copy_nonoverlapping(index.as_ptr(), pointers.output::<i64>(0).add(at), width);
            }
            at += width;
        }
    }
}

/// The first NaN, else the first of the most extreme elements: found in one pass, then looked up.
fn first_in_row<T: Arithmetic>(x: &[T], beats: impl Fn(T, T) -> bool) -> usize {
    let mut lanes = [x[0]; 16];
    let mut nan = false;
    let (blocks, rest) = x.as_chunks::<16>();
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            nan |= value.is_nan();
            *lane = if beats(value, *lane) { value } else { *lane };
        }
    }
    let mut best = x[0];
    for &value in lanes.iter().chain(rest) {
        nan |= value.is_nan();
        best = if beats(value, best) { value } else { best };
    }
    let found = if nan { x.iter().position(|value| value.is_nan()) } else { x.iter().position(|&value| value == best) };
    found.expect("the extremum is an element")
}

impl Kernel for ArgReduceKernel {
    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        split(run.pool, self.outer * self.inner, (1 << 14) / self.size, |results| {
            // SAFETY: by this function's own contract; each range of results is written by one thread.
            with_element!(self.dtype, T => unsafe {
                match self.extremum {
                    Extremum::Max => self.results::<T>(pointers, results, |a, b| a > b),
                    Extremum::Min => self.results::<T>(pointers, results, |a, b| a < b),
                }
            })
        });
    }
}
