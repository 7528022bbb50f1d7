//! Long short-term memory.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::recurrent::LstmScan;

use super::steps::{GATE, Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::{LANES, Lanes, add_product, load, map, store, with_float, zip};
use crate::kernels::whole::product::Tiled;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct LstmKernel<T> {
    steps: Steps<T>,
    gates: unsafe fn(Gates<T>),
}

pub(crate) fn kernel(op: &LstmScan, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (states, isa) = (&signature.outputs[0], Isa::get());
    with_float!(states.dtype, T => {
        Box::new(LstmKernel::<T> {
            steps: Steps::new(&states.shape, 4, op.reverse, isa),
            gates: version::<GatesLoop<T>>(isa),
        })
    })
}

impl<T: Tiled> Kernel for LstmKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.steps.scratch()
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let plane = steps.batch * steps.size;
        // SAFETY: the weights are as `Run` states.
        unsafe { steps.pack_transposed(run.pool, &run.scratch, pointers.input(3)) }
        for time in steps.forward() {
            steps.step(run.pool, &run.scratch, |part| {
                // SAFETY: the step lies within the operands and the results; each part's units and rows are
                // written by one thread.
                unsafe {
                    let (hs, cs) = (pointers.output::<T>(0), pointers.output::<T>(1));
                    steps.gate_products(&part, steps.before(hs, pointers.input(1), time));
                    (self.gates)(Gates {
                        part,
                        size: steps.size,
                        gates_x: pointers.input::<T>(0).add(4 * time * plane),
                        c_before: steps.before(cs, pointers.input(2), time),
                        h: hs.add(time * plane),
                        c: cs.add(time * plane),
                        gates: pointers.output::<T>(2).add(4 * time * plane),
                    });
                }
            });
        }
    }
}

/// The gates and the state of a part, from the products.
struct Gates<T> {
    part: Part<T>,
    size: usize,
    gates_x: *const T,
    c_before: *const T,
    h: *mut T,
    c: *mut T,
    gates: *mut T,
}

struct GatesLoop<T>(PhantomData<T>);

impl<T: Tiled> Multiversion for GatesLoop<T> {
    type Arguments = Gates<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: Gates<T>) {
        // SAFETY: as the caller vouches. Apart, because the compiler makes more of a number that it knows.
        unsafe {
            match arguments.part.units {
                LANES => rows::<T, M>(arguments, LANES),
                units => rows::<T, M>(arguments, units),
            }
        }
    }
}

/// # Safety
/// The pointers are to the step's operands and results; the part has `units` units.
#[inline(always)]
unsafe fn rows<T: Tiled, M: MulAdd>(arguments: Gates<T>, units: usize) {
    let Gates { part, size, gates_x, c_before, h, c, gates } = arguments;
    for (row, products) in Steps::rows(&part) {
        // SAFETY: the part's units of this row lie within the step's operands and results.
        unsafe {
            let sum = |gate: usize| {
                let x = load(gates_x.add((4 * row + gate) * size + part.unit), 0, units, T::ZERO);
                zip(x, load(products.add(gate * GATE), 0, LANES, T::ZERO), |a, b| a + b)
            };
            let keep = |gate: usize, value: Lanes<T>| {
                store(gates.add((4 * row + gate) * size + part.unit), 0, units, value);
                value
            };
            let place = row * size + part.unit;
            let i = keep(0, map(sum(0), |x| x.logistic::<M>()));
            let g = keep(2, map(sum(2), |x| x.tanh::<M>()));
            let added = zip(i, g, |i, g| i * g);
            let f = keep(1, map(sum(1), |x| x.logistic::<M>()));
            let next = add_product::<T, M>(added, f, load(c_before.add(place), 0, units, T::ZERO));
            store(c.add(place), 0, units, next);
            let o = keep(3, map(sum(3), |x| x.logistic::<M>()));
            store(h.add(place), 0, units, zip(o, next, |o, c| o * c.tanh::<M>()));
        }
    }
}
