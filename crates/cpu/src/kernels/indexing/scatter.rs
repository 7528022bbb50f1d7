//! Updates of an operand at places given as data.

use gyrus_graph::DType;
use gyrus_graph::ops::indexing::{Combine, Scatter};

use super::super::elements::{Arithmetic, with_element, with_word};
use super::windows::Windows;
use crate::kernel::{Kernel, Run, Signature};
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
    /// Each thread goes through all updates, and carries out those whose windows begin in its part of the
    /// operand: for one element always in the same order. Windows that may overlap go to one thread.
    ///
    /// # Safety
    /// The pointers are as [`Run`] states, of elements of type `T`.
    unsafe fn scatter<T: Copy>(&self, run: &Run, combine: impl Fn(T, T) -> T + Sync) {
        let pointers = Pointers::of(run);
        let len = self.windows.window_len();
        if len == 0 {
            return;
        }
        let is_small = self.windows.num_windows() * len < 1 << 13;
        let grain = if is_small || !self.windows.are_disjoint() { self.num_elements } else { 1 };
        split(run.pool, self.num_elements, grain, |part| {
            let (updates, result) = (pointers.input::<T>(2), pointers.output::<T>(0));
            // SAFETY: the windows were made for these operands, and left out where not within; the windows that
            // begin in `part` are disjoint from those that do not, or `part` is everything.
            unsafe {
                self.windows.for_each(pointers.input(1), 0..self.windows.num_windows(), false, |from, to| {
                    if !part.contains(&to) {
                        return;
                    }
                    self.windows.for_each_run(from, to, |from, to, len| {
                        let updates = std::slice::from_raw_parts(updates.add(from), len);
                        let elements = std::slice::from_raw_parts_mut(result.add(to), len);
                        elements.iter_mut().zip(updates).for_each(|(to, from)| *to = combine(*to, *from));
                    });
                });
            }
        });
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
                Combine::Replace => with_word!(self.dtype, T => self.scatter::<T>(run, |_, update| update)),
                Combine::Add => with_element!(self.dtype, T => self.scatter::<T>(run, <T as Arithmetic>::add)),
                Combine::Mul => with_element!(self.dtype, T => self.scatter::<T>(run, <T as Arithmetic>::mul)),
                Combine::Min => with_element!(self.dtype, T => self.scatter::<T>(run, <T as Arithmetic>::min)),
                Combine::Max => with_element!(self.dtype, T => self.scatter::<T>(run, <T as Arithmetic>::max)),
            }
        }
    }
}
