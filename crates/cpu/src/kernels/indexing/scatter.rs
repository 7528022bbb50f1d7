//! Updates of an operand at places given as data.

use std::ops::Range;

use gyrus_graph::DType;
use gyrus_graph::ops::indexing::{Combine, Scatter};

use super::super::elements::{Arithmetic, with_element, with_word};
use super::windows::{Part, Windows};
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::cache_line::prefetch;
use crate::kernels::split::{Pointers, split};

struct ScatterKernel {
    windows: Windows,
    combine: Combine,
    dtype: DType,
    num_elements: usize,
}

pub(crate) fn kernel(op: &Scatter, signature: &Signature) -> Box<dyn Kernel> {
    let [operand, indices, updates] = signature.inputs else { unreachable!("three operands") };
    let sizes = op.addressing.window_sizes(operand.shape.rank(), &updates.shape);
    Box::new(ScatterKernel {
        windows: Windows::new(&op.addressing, operand, indices, updates, &sizes),
        combine: op.combine,
        dtype: operand.dtype,
        num_elements: operand.shape.num_elements(),
    })
}

impl ScatterKernel {
    /// Threads share the updates along an axis whose elements are apart in the operand. Where there is none, each goes
    /// through all updates, and carries out those whose runs begin in its part of the operand. Either way those of one
    /// element are in the same order always. Without such an axis, windows that may overlap go to one thread.
    ///
    /// Only for what `IS_COMMON` there is a loop of its own over single elements.
    ///
    /// # Safety
    /// The pointers are as [`Run`] states, of elements of type `T`.
    unsafe fn scatter<T: Copy, const IS_COMMON: bool>(&self, run: &Run, combine: impl Fn(T, T) -> T + Sync) {
        let (pointers, windows) = (Pointers::of(run), &self.windows);
        let (len, num_threads) = (windows.run, run.pool.num_threads());
        if len == 0 {
            return;
        }
        let update = |part: Part, within: Range<usize>| {
            let (updates, result) = (pointers.input::<T>(2), pointers.output::<T>(0));
            // SAFETY: the windows were made for these operands, and left out where not within; no other thread has updates
            // of the elements of this one's.
            unsafe {
                // Apart, because single elements then are one loop.
                if IS_COMMON && len == 1 {
                    let next_line = windows.next_line();
                    return windows.for_each(pointers.input(1), part, false, |from, to| {
                        if let Some(next) = next_line {
                            prefetch(result.wrapping_add(to + next));
                        }
                        if within.contains(&to) {
                            let element = result.add(to);
                            *element = combine(*element, *updates.add(from));
                        }
                    });
                }
                windows.for_each_run(pointers.input(1), part, false, &mut |from, to| {
                    if !within.contains(&to) {
                        return;
                    }
                    let updates = std::slice::from_raw_parts(updates.add(from), len);
                    let elements = std::slice::from_raw_parts_mut(result.add(to), len);
                    elements.iter_mut().zip(updates).for_each(|(to, from)| *to = combine(*to, *from));
                });
            }
        };
        let (all, num_runs) = (0..self.num_elements, windows.num_runs());
        let is_small = num_runs * len < 1 << 13;
        match windows.axis_apart(num_threads) {
            Some((axis, size)) if !is_small => {
                split(run.pool, size, 1, |range| update(Part::Along(axis, range), all.clone()));
            }
            _ => {
                let grain = if is_small || !windows.are_disjoint() { self.num_elements } else { 1 };
                split(run.pool, self.num_elements, grain, |part| update(Part::Runs(0..num_runs), part));
            }
        }
    }
}

impl Kernel for ScatterKernel {
    fn in_place(&self, input: usize, output: usize) -> bool {
        (input, output) == (0, 0)
    }

    unsafe fn run(&self, run: &Run) {
        let pointers = Pointers::of(run);
        if !std::ptr::eq(pointers.input::<u8>(0), pointers.output::<u8>(0)) {
            split(run.pool, self.num_elements * self.dtype.size(), 1 << 15, |part| {
                // SAFETY: `part` lies in the operand and the result, which do not overlap.
                unsafe {
                    let (from, to) =
                        (pointers.input::<u8>(0).add(part.start), pointers.output::<u8>(0).add(part.start));
                    std::ptr::copy_nonoverlapping(from, to, part.len());
                }
            });
        }
        // SAFETY: by this function's own contract.
        unsafe {
            match self.combine {
                Combine::Replace => with_word!(self.dtype, T => self.scatter::<T, false>(run, |_, update| update)),
                Combine::Add => with_element!(self.dtype, T => self.scatter::<T, true>(run, <T as Arithmetic>::add)),
                Combine::Mul => with_element!(self.dtype, T => self.scatter::<T, false>(run, <T as Arithmetic>::mul)),
                Combine::Min => with_element!(self.dtype, T => self.scatter::<T, false>(run, <T as Arithmetic>::min)),
                Combine::Max => with_element!(self.dtype, T => self.scatter::<T, false>(run, <T as Arithmetic>::max)),
            }
        }
    }
}
