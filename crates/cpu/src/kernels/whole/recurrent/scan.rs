//! The frame of the scans: products with the packed weights, then the cell's function, step by step.

use gyrus_graph::DType;

use super::cell::{Arguments, Cell, CellLoop, prefetch};
use super::order::Order;
use super::steps::{Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, RowsOf, Run, Signature};
use crate::kernels::split::{Pointers, split};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::with_float;
use crate::math::version;
use crate::pool::ScratchSize;

struct Scan<T: Tiled, C> {
    cell: C,
    steps: Steps<T>,
    isa: Isa,
    /// Which operand the lengths of the sequences are, if they differ.
    lengths: Option<usize>,
    /// The results `[T, B, width]`, each with its width.
    streams: Vec<(usize, usize)>,
}

/// The kernel of a cell, where `reverse` says whether the scan's last step came first.
pub(super) fn scan<C: Cell<f32> + Cell<f64>>(cell: C, reverse: bool, signature: &Signature) -> Option<Box<dyn Kernel>> {
    // The states, or of a gradient theirs.
    let is_gradient = !<C as Cell<f32>>::FACTORS.is_empty();
    let states = if is_gradient { &signature.inputs[0] } else { &signature.outputs[0] };
    let isa = Isa::get();
    let lengths = signature.inputs.iter().position(|input| input.dtype == DType::I64);
    let streams = signature.outputs.iter().enumerate().filter(|(_, output)| output.shape.rank() == 3);
    let streams: Vec<(usize, usize)> = streams.map(|(index, output)| (index, output.shape[2])).collect();
    with_float!(states.dtype, T => {
        let steps = Steps::new(&states.shape, <C as Cell<T>>::GATES, reverse ^ is_gradient, isa);
        Box::new(Scan::<T, C> { cell, steps, isa, lengths, streams })
    })
}

impl<T: Tiled, C: Cell<T>> Scan<T, C> {
    const IS_GRADIENT: bool = !C::FACTORS.is_empty();

    /// The products that the cell's function of a part needs, in the part's tiles.
    ///
    /// # Safety
    /// The pointers are as [`Run`] states, and the steps before are computed.
    unsafe fn products(&self, pointers: &Pointers, part: &Part<T>, step: usize) {
        let (steps, size) = (&self.steps, self.steps.size);
        // SAFETY: as the caller vouches. If the first row, which is the longest, had no step, then none had.
        unsafe {
            if !Self::IS_GRADIENT {
                let states = (pointers.output::<T>(0).cast_const(), size);
                return steps.gate_products(part, steps.rows_before(part, step, states, size, pointers.input(1)));
            }
            if steps.last(part, part.places.start, step).is_none() {
                return steps.clear(part);
            }
            let mut first = 0;
            for factor in C::FACTORS {
                let from = (pointers.output::<T>(factor.output).cast_const(), factor.gates * size);
                let rows = steps.rows_before(part, step, from, factor.used * size, std::ptr::null());
                steps.state_product(part, rows, first..first + factor.used, first > 0);
                first += factor.used;
            }
        }
    }

    /// How many bytes the order of the rows takes, where there is one; a multiple of what memory is aligned to.
    fn order_bytes(&self) -> usize {
        let words = Order::num_words(self.steps.length, self.steps.batch);
        self.lengths.map_or(0, |_| (words * size_of::<usize>()).next_multiple_of(64))
    }

    /// The order of the rows, where there is one; makes the results zeros where a row has no step.
    ///
    /// # Safety
    /// The pointers and the scratch memory are as [`Run`] states, and the order does not outlive them.
    unsafe fn order<'a>(&self, run: &Run, pointers: &Pointers) -> Option<Order<'a>> {
        let Steps { length, batch, .. } = self.steps;
        let num_words = Order::num_words(length, batch);
        let memory = run.scratch.shared::<usize>(self.lengths.map_or(0, |_| num_words));
        // SAFETY: as the caller vouches.
        let order = self.lengths.map(|lengths| unsafe {
            let lengths = std::slice::from_raw_parts(pointers.input::<i64>(lengths), batch);
            Order::new(lengths, length, std::slice::from_raw_parts_mut(memory, num_words))
        })?;
        split(run.pool, batch, 1, |rows| {
            for (row, &(output, width)) in rows.flat_map(|row| self.streams.iter().map(move |stream| (row, stream))) {
                for time in order.length_of_row(row)..length {
                    let to = pointers.output::<T>(output).wrapping_add((time * batch + row) * width);
                    // SAFETY: the row lies within the result; one thread writes it.
                    unsafe { std::slice::from_raw_parts_mut(to, width).fill(T::ZERO) }
                }
            }
        });
        Some(order)
    }
}

impl<T: Tiled, C: Cell<T>> Kernel for Scan<T, C> {
    fn scratch(&self) -> ScratchSize {
        let ScratchSize { shared, per_worker } = self.steps.scratch(self.lengths.is_some());
        ScratchSize { shared: self.order_bytes() + shared, per_worker }
    }

    fn in_place(&self, input: usize, output: usize) -> bool {
        C::IN_PLACE.contains(&(input, output))
    }

    /// The order of the rows is made outside runs.
    fn is_shared(&self) -> bool {
        self.lengths.is_none()
    }

    fn rows_written(&self, output: usize) -> Option<RowsOf> {
        let stream = self.streams.iter().find(|&&(stream, _)| stream == output && self.is_shared());
        stream.map(|(_, width)| RowsOf::contiguous(self.steps.length, self.steps.batch * width * size_of::<T>()))
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let scratch = run.scratch.after(self.order_bytes());
        // SAFETY: the operands, results and scratch memory are as `Run` states.
        unsafe { steps.pack(run.pool, &scratch, pointers.input(C::WEIGHTS), !Self::IS_GRADIENT) }
        // SAFETY: as above.
        run.pool.run(C::CARRIED.len(), &|task, _| unsafe {
            let state = pointers.output::<T>(C::CARRIED[task]);
            std::slice::from_raw_parts_mut(state, steps.batch * steps.size).fill(T::ZERO);
        });
        // SAFETY: as `Run` states.
        let order = unsafe { self.order(run, &pointers) };
        let function = version::<CellLoop<T, C>>(self.isa);
        // After its last step a gradient has the products of the first in the scan's order to add.
        let num_steps = steps.length + usize::from(Self::IS_GRADIENT);
        steps.run(run.pool, &scratch, order, num_steps, |part, step| {
            let (last, next) = (step.checked_sub(1).map(|step| steps.time(step)), step + 1);
            let before = if Self::IS_GRADIENT { (next < steps.length).then(|| steps.time(next)) } else { last };
            if step < steps.length {
                prefetch::<T, C>(steps, &pointers, &part, part.places.clone(), steps.time(step), before);
            }
            // SAFETY: the step lies within the operands and the results; the steps before are computed; each
            // part's units and rows are written by one thread.
            unsafe {
                self.products(&pointers, &part, step);
                if step == steps.length {
                    return steps.add_tile(&part, pointers.output(C::CARRIED[0]));
                }
                function(Arguments { cell: self.cell, steps, pointers, part, time: steps.time(step), before });
            }
        });
    }
}
