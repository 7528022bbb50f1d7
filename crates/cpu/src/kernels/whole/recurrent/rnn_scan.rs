//! The plain recurrent network.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::recurrent::{RnnActivation, RnnScan};

use super::steps::{Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::{LANES, load, map, store, with_float, zip};
use crate::kernels::whole::product::Tiled;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct RnnKernel<T> {
    steps: Steps<T>,
    activation: RnnActivation,
    state: unsafe fn(State<T>),
}

pub(crate) fn kernel(op: &RnnScan, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (states, isa) = (&signature.outputs[0], Isa::get());
    with_float!(states.dtype, T => {
        Box::new(RnnKernel::<T> {
            steps: Steps::new(&states.shape, 1, op.reverse, isa),
            activation: op.activation,
            state: version::<StateLoop<T>>(isa),
        })
    })
}

impl<T: Tiled> Kernel for RnnKernel<T> {
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
                // SAFETY: the step lies within the operands and the result; each part's units and rows are
                // written by one thread.
                unsafe {
                    let hs = pointers.output::<T>(0);
                    steps.gate_products(&part, steps.before(hs, pointers.input(1), time));
                    let (x, h) = (pointers.input::<T>(0).add(time * plane), hs.add(time * plane));
                    (self.state)(State { part, size: steps.size, activation: self.activation, x, h });
                }
            });
        }
    }
}

/// The state of a part, from the product.
struct State<T> {
    part: Part<T>,
    size: usize,
    activation: RnnActivation,
    x: *const T,
    h: *mut T,
}

struct StateLoop<T>(PhantomData<T>);

impl<T: Tiled> Multiversion for StateLoop<T> {
    type Arguments = State<T>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: State<T>) {
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
unsafe fn rows<T: Tiled, M: MulAdd>(arguments: State<T>, units: usize) {
    let State { part, size, activation, x, h } = arguments;
    for (row, products) in Steps::rows(&part) {
        // SAFETY: the part's units of this row lie within the step's operand and result.
        unsafe {
            let place = row * size + part.unit;
            let product = load(products, 0, LANES, T::ZERO);
            let sum = zip(load(x.add(place), 0, units, T::ZERO), product, |a, b| a + b);
            let state = match activation {
                RnnActivation::Tanh => map(sum, |x| x.tanh::<M>()),
                // NaN is not less.
                RnnActivation::Relu => map(sum, |x| if x < T::ZERO { T::ZERO } else { x }),
            };
            store(h.add(place), 0, units, state);
        }
    }
}
