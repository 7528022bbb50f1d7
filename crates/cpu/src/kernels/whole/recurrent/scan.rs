//! The frame of the scans: products with the packed weights, then the cell's function, step by step.

use super::cell::{Arguments, Cell, CellLoop, prefetch};
use super::steps::{Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::groups::{Shared, add_rows};
use crate::kernels::whole::lanes::with_float;
use crate::kernels::whole::product::Tiled;
use crate::math::version;
use crate::pool::ScratchSize;

struct Scan<T: Tiled, C> {
    cell: C,
    steps: Steps<T>,
    isa: Isa,
}

/// The kernel of a cell, where `reverse` says whether the scan's last step came first.
pub(super) fn scan<C: Cell<f32> + Cell<f64>>(cell: C, reverse: bool, signature: &Signature) -> Option<Box<dyn Kernel>> {
    // The states, or of a gradient theirs.
    let is_gradient = !<C as Cell<f32>>::FACTORS.is_empty();
    let states = if is_gradient { &signature.inputs[0] } else { &signature.outputs[0] };
    let isa = Isa::get();
    with_float!(states.dtype, T => {
        let steps = Steps::new(&states.shape, <C as Cell<T>>::GATES, reverse ^ is_gradient, isa);
        Box::new(Scan::<T, C> { cell, steps, isa })
    })
}

impl<T: Tiled, C: Cell<T>> Scan<T, C> {
    const IS_GRADIENT: bool = !C::FACTORS.is_empty();

    /// How many elements a row of all factors has.
    fn factors_size(&self) -> usize {
        C::FACTORS.iter().map(|factor| factor.gates).sum::<usize>() * self.steps.size
    }

    /// The products that the cell's function of a part needs, in the part's tiles.
    ///
    /// # Safety
    /// The pointers are as [`Run`] states, and the steps before are computed.
    unsafe fn products(&self, pointers: &Pointers, part: &Part<T>, before: Option<usize>) {
        let (steps, plane) = (&self.steps, self.steps.batch * self.steps.size);
        // SAFETY: as the caller vouches.
        unsafe {
            match before {
                None if Self::IS_GRADIENT => steps.clear(part),
                None => steps.gate_products(part, pointers.input(1)),
                Some(time) if Self::IS_GRADIENT => {
                    let mut first = 0;
                    for factor in C::FACTORS {
                        let from = pointers.output::<T>(factor.output).add(time * plane * factor.gates);
                        let gates = first..first + factor.used;
                        steps.state_product(part, (from, factor.gates * steps.size), gates, first > 0);
                        first += factor.used;
                    }
                }
                Some(time) => steps.gate_products(part, pointers.output::<T>(0).add(time * plane)),
            }
        }
    }
}

impl<T: Tiled, C: Cell<T>> Kernel for Scan<T, C> {
    fn scratch(&self) -> ScratchSize {
        let ScratchSize { shared, per_worker } = self.steps.scratch();
        let sums = self.steps.num_groups() * self.factors_size() * size_of::<T>();
        ScratchSize { shared: shared + sums, per_worker }
    }

    fn in_place(&self, input: usize, output: usize) -> bool {
        C::IN_PLACE.contains(&(input, output))
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let (num_groups, sums_size) = (steps.num_groups(), self.factors_size());
        let num_shared = steps.num_weights() + num_groups * sums_size;
        let sums = Shared(run.scratch.shared::<T>(num_shared).wrapping_add(steps.num_weights()));
        // SAFETY: the operands, results and scratch memory are as `Run` states.
        unsafe {
            steps.pack(run.pool, &run.scratch, pointers.input(C::WEIGHTS), !Self::IS_GRADIENT);
            std::slice::from_raw_parts_mut(sums.get(), num_groups * sums_size).fill(T::ZERO);
            for &carried in C::CARRIED {
                let state = steps.batch * steps.size;
                std::slice::from_raw_parts_mut(pointers.output::<T>(carried), state).fill(T::ZERO);
            }
        }
        let function = version::<CellLoop<T, C>>(self.isa);
        // After its last step a gradient has the products of the first in the scan's order to add.
        let num_steps = steps.length + usize::from(Self::IS_GRADIENT);
        steps.run(run.pool, &run.scratch, num_steps, |part, step| {
            let (last, next) = (step.checked_sub(1).map(|step| steps.time(step)), step + 1);
            if step < steps.length {
                prefetch::<T, C>(steps, &pointers, &part, steps.time(step));
            }
            // SAFETY: the step lies within the operands and the results; the steps before are computed; each
            // part's units and rows are written by one thread.
            unsafe {
                self.products(&pointers, &part, last);
                if step == steps.length {
                    return steps.add_tile(&part, pointers.output(C::CARRIED[0]));
                }
                function(Arguments {
                    cell: self.cell,
                    steps,
                    pointers,
                    sums: sums.get().wrapping_add(part.group * sums_size),
                    part,
                    time: steps.time(step),
                    before: if Self::IS_GRADIENT { (next < steps.length).then(|| steps.time(next)) } else { last },
                });
            }
        });
        if Self::IS_GRADIENT {
            // SAFETY: the last result is the gradient of the biases, as large as the factors' rows.
            unsafe { add_rows(sums.get(), num_groups, sums_size, pointers.output(run.outputs.len() - 1)) }
        }
    }
}
