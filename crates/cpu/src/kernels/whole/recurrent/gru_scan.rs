//! Gated recurrent unit.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::recurrent::GruScan;

use super::steps::{GATE, Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::{LANES, Lanes, add_product, load, map, store, with_float, zip};
use crate::kernels::whole::product::Tiled;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct GruKernel<T> {
    steps: Steps<T>,
    gates: unsafe fn(Gates<T>),
}

pub(crate) fn kernel(op: &GruScan, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (states, isa) = (&signature.outputs[0], Isa::get());
    with_float!(states.dtype, T => {
        Box::new(GruKernel::<T> {
            steps: Steps::new(&states.shape, 3, op.reverse, isa),
            gates: version::<GatesLoop<T>>(isa),
        })
    })
}

impl<T: Tiled> Kernel for GruKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.steps.scratch()
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let plane = steps.batch * steps.size;
        // SAFETY: the weights are as `Run` states.
        unsafe { steps.pack_transposed(run.pool, &run.scratch, pointers.input(2)) }
        for time in steps.forward() {
            steps.step(run.pool, &run.scratch, |part| {
                // SAFETY: the step lies within the operands and the results; each part's units and rows are
                // written by one thread.
                unsafe {
                    let hs = pointers.output::<T>(0);
                    let h_before = steps.before(hs, pointers.input(1), time);
                    steps.gate_products(&part, h_before);
                    (self.gates)(Gates {
                        part,
                        size: steps.size,
                        gates_x: pointers.input::<T>(0).add(3 * time * plane),
                        h_before,
                        bias: pointers.input(3),
                        h: hs.add(time * plane),
                        gates: pointers.output::<T>(1).add(4 * time * plane),
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
    h_before: *const T,
    bias: *const T,
    h: *mut T,
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
    let Gates { part, size, gates_x, h_before, bias, h, gates } = arguments;
    for (row, products) in Steps::rows(&part) {
        // SAFETY: the part's units of this row lie within the step's operands and results.
        unsafe {
            let x = |gate: usize| load(gates_x.add((3 * row + gate) * size + part.unit), 0, units, T::ZERO);
            let product = |gate: usize| load(products.add(gate * GATE), 0, LANES, T::ZERO);
            let keep = |gate: usize, value: Lanes<T>| {
                store(gates.add((4 * row + gate) * size + part.unit), 0, units, value);
                value
            };
            let place = row * size + part.unit;
            let r = keep(0, zip(x(0), product(0), |a, b| (a + b).logistic::<M>()));
            let q = keep(3, zip(product(2), load(bias.add(part.unit), 0, units, T::ZERO), |a, b| a + b));
            let n = keep(2, map(add_product::<T, M>(x(2), r, q), |x| x.tanh::<M>()));
            let z = keep(1, zip(x(1), product(1), |a, b| (a + b).logistic::<M>()));
            let h_before = load(h_before.add(place), 0, units, T::ZERO);
            // (1 - z) n + z h'
            let difference = zip(h_before, n, |before, n| before - n);
            store(h.add(place), 0, units, add_product::<T, M>(n, z, difference));
        }
    }
}
