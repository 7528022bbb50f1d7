//! What differs between the scans: the function of a cell.

use std::marker::PhantomData;
use std::ops::Range;

use super::steps::{Part, Steps};
use crate::kernels::cache_line::{self, LINE};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::{LANES, Lanes, load, store, zip};
use crate::math::{MulAdd, Multiversion};

/// The function of a recurrent network's cell, or its gradient. Of a scan the first operand is what comes from
/// outside for each step, the second the state before the first, and the first result the states.
pub(super) trait Cell<T: Tiled>: Copy + Send + Sync + 'static {
    /// How many matrices `[H, H]` the recurrent weights are made of.
    const GATES: usize;
    /// Which operand the recurrent weights are.
    const WEIGHTS: usize;
    /// The operands `[T, B, gates H]` that each step reads of, each with its number of gates.
    const STREAMS: &'static [(usize, usize)];
    /// The operands `[T, B, H]` that each step reads of as the step before has them.
    const STATES: &'static [usize] = &[];
    /// The results `[T, B, gates H]` that each step writes of, but those that take the memory of such an operand, each with
    /// its number of gates.
    const MADE: &'static [(usize, usize)] = &[];
    /// Operands whose memory a result may take, each with that result.
    const IN_PLACE: &'static [(usize, usize)];
    /// Of a gradient the results that, by the recurrent weights, give the gradient of the state before.
    const FACTORS: &'static [Factor] = &[];
    /// Of a gradient the results `[B, H]` that each step changes, from zero on; of the first the products are
    /// a part.
    const CARRIED: &'static [usize] = &[];

    /// Computes some units of a row.
    ///
    /// It calls no closure of its own more than once: such a one is not inlined, and not compiled for the
    /// instruction set.
    ///
    /// # Safety
    /// The units lie within the operands and the results, and are this thread's to write.
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>);
}

/// A result of a gradient, `[T, B, gates H]`, whose first gates are factors.
pub(super) struct Factor {
    pub(super) output: usize,
    pub(super) gates: usize,
    pub(super) used: usize,
}

/// Asks for what a step will read and write of some of a part's places, which the processor does not foresee: pieces of far
/// rows.
#[inline(always)]
pub(super) fn prefetch<T: Tiled, C: Cell<T>>(
    steps: &Steps<T>,
    pointers: &Pointers,
    part: &Part<T>,
    places: Range<usize>,
    time: usize,
    before: Option<usize>,
) {
    for place in places {
        for &(input, gates) in C::STREAMS {
            ask(steps, part, pointers.input(input), gates, time, place);
        }
        for &(output, gates) in C::MADE {
            ask(steps, part, pointers.output(output), gates, time, place);
        }
        if let Some(before) = before {
            for &input in C::STATES {
                ask(steps, part, pointers.input(input), 1, before, place);
            }
        }
    }
}

/// Asks for a part's units of a row of `[T, B, gates H]`.
#[inline(always)]
fn ask<T: Tiled>(steps: &Steps<T>, part: &Part<T>, array: *const T, gates: usize, time: usize, place: usize) {
    let row = (time * steps.batch + part.row(place)) * gates * steps.size + part.unit;
    for gate in 0..gates {
        let units = array.wrapping_add(row + gate * steps.size);
        for line in (0..part.units * size_of::<T>()).step_by(LINE) {
            cache_line::prefetch(units.wrapping_byte_add(line));
        }
    }
}

/// What [`CellLoop`] works on: a part of a step.
pub(super) struct Arguments<'a, T, C> {
    pub(super) cell: C,
    pub(super) steps: &'a Steps<T>,
    pub(super) pointers: Pointers<'a>,
    pub(super) part: Part<'a, T>,
    pub(super) time: usize,
    /// The place in time of the state before this step in the scan's order; none of the first. Rows that have no step
    /// there begin with this one.
    pub(super) before: Option<usize>,
}

/// Computes a cell's function of all rows of a part.
pub(super) struct CellLoop<'a, T, C>(PhantomData<&'a (T, C)>);

impl<'a, T: Tiled, C: Cell<T>> Multiversion for CellLoop<'a, T, C> {
    type Arguments = Arguments<'a, T, C>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Arguments<'a, T, C>) {
        // SAFETY: as the caller vouches. Apart, because the compiler makes more of a number that it knows.
        unsafe {
            match arguments.part.units {
                LANES => rows::<T, C, M>(&arguments, LANES),
                count => rows::<T, C, M>(&arguments, count),
            }
        }
    }
}

/// # Safety
/// The pointers are to the scan's operands and results; the part has `count` units.
#[inline(always)]
unsafe fn rows<T: Tiled, C: Cell<T>, M: MulAdd>(arguments: &Arguments<T, C>, count: usize) {
    let Arguments { cell, steps, pointers, part, time, before } = arguments;
    let (size, unit) = (steps.size, part.unit);
    // SAFETY: the part's units of its rows lie within the operands and results.
    unsafe {
        for (place, products) in Steps::places(part) {
            let (plane, pointers) = (steps.batch * size, *pointers);
            // They were asked for before the products were computed, which took their place in the first-level cache.
            prefetch::<T, C>(steps, &pointers, part, place + 1..(place + 2).min(part.places.end), *time, *before);
            cell.compute::<M>(&Units {
                pointers,
                plane,
                size,
                time: *time,
                before: before.filter(|&time| part.has_step(place, time)),
                row: part.row(place),
                unit,
                count,
                products,
            });
        }
    }
}

/// Some neighbouring units of a row at a step, where `[T, B, gates H]` arrays are read and written.
pub(super) struct Units<'a, T> {
    pointers: Pointers<'a>,
    plane: usize,
    size: usize,
    time: usize,
    before: Option<usize>,
    row: usize,
    unit: usize,
    count: usize,
    products: *const T,
}

impl<T: Tiled> Units<'_, T> {
    #[inline(always)]
    fn place(&self, gate: usize, gates: usize) -> usize {
        self.time * self.plane * gates + (self.row * gates + gate) * self.size + self.unit
    }

    #[inline(always)]
    unsafe fn load(&self, from: *const T) -> Lanes<T> {
        // SAFETY: as the callers' callers vouch.
        unsafe { load(from, 0, self.count, T::ZERO) }
    }

    /// The product of the state before, or of the gradient after, with the weights of a gate.
    #[inline(always)]
    pub(super) unsafe fn product(&self, gate: usize) -> Lanes<T> {
        // SAFETY: each gate has a tile.
        unsafe { load(self.products.add(gate * Part::<T>::TILE), 0, LANES, T::ZERO) }
    }

    /// Of operand `index`, `[T, B, gates H]`, one gate at this step.
    #[inline(always)]
    pub(super) unsafe fn gate(&self, index: usize, gate: usize, gates: usize) -> Lanes<T> {
        // SAFETY: as the trait's caller vouches.
        unsafe { self.load(self.pointers.input::<T>(index).add(self.place(gate, gates))) }
    }

    /// Of operand `index`, `[T, B, H]`, this step.
    #[inline(always)]
    pub(super) unsafe fn input(&self, index: usize) -> Lanes<T> {
        // SAFETY: as the trait's caller vouches.
        unsafe { self.gate(index, 0, 1) }
    }

    /// Of operand `index`, `[gates H]`, one gate.
    #[inline(always)]
    pub(super) unsafe fn bias(&self, index: usize, gate: usize) -> Lanes<T> {
        // SAFETY: as the trait's caller vouches.
        unsafe { self.load(self.pointers.input::<T>(index).add(gate * self.size + self.unit)) }
    }

    /// What one of the `gates` of operand 0 is with its bias, of operand `biases`, and its product.
    #[inline(always)]
    pub(super) unsafe fn sum(&self, gate: usize, gates: usize, biases: usize) -> Lanes<T> {
        // SAFETY: as the trait's caller vouches.
        unsafe {
            let x = zip(self.gate(0, gate, gates), self.bias(biases, gate), |a, b| a + b);
            zip(x, self.product(gate), |a, b| a + b)
        }
    }

    /// Of `states [T, B, H]` the one before this step, or that of operand `initial`, `[B, H]`.
    #[inline(always)]
    pub(super) unsafe fn before(&self, states: *const T, initial: usize) -> Lanes<T> {
        let place = self.row * self.size + self.unit;
        // SAFETY: as the trait's caller vouches.
        unsafe {
            self.load(match self.before {
                Some(time) => states.add(time * self.plane + place),
                None => self.pointers.input::<T>(initial).add(place),
            })
        }
    }

    /// Operand `index`.
    #[inline(always)]
    pub(super) fn states(&self, index: usize) -> *const T {
        self.pointers.input(index)
    }

    /// Result `index`.
    #[inline(always)]
    pub(super) fn made_states(&self, index: usize) -> *const T {
        self.pointers.output(index)
    }

    /// Writes one gate at this step of result `index`, `[T, B, gates H]`.
    #[inline(always)]
    pub(super) unsafe fn set_gate(&self, index: usize, gate: usize, gates: usize, lanes: Lanes<T>) {
        // SAFETY: as the trait's caller vouches.
        unsafe { store(self.pointers.output::<T>(index).add(self.place(gate, gates)), 0, self.count, lanes) }
    }

    /// Writes this step of result `index`, `[T, B, H]`.
    #[inline(always)]
    pub(super) unsafe fn set(&self, index: usize, lanes: Lanes<T>) {
        // SAFETY: as the trait's caller vouches.
        unsafe { self.set_gate(index, 0, 1, lanes) }
    }

    /// Result `index`, `[B, H]`, as the step before left it.
    #[inline(always)]
    pub(super) unsafe fn carried(&self, index: usize) -> Lanes<T> {
        // SAFETY: as the trait's caller vouches.
        unsafe { self.load(self.pointers.output::<T>(index).add(self.row * self.size + self.unit)) }
    }

    /// Writes result `index`, `[B, H]`.
    #[inline(always)]
    pub(super) unsafe fn set_carried(&self, index: usize, lanes: Lanes<T>) {
        let to = self.pointers.output::<T>(index).wrapping_add(self.row * self.size + self.unit);
        // SAFETY: as the trait's caller vouches.
        unsafe { store(to, 0, self.count, lanes) }
    }
}
