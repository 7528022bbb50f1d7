//! The gradient of the plain recurrent network.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::recurrent::{RnnActivation, RnnScanGrad};

use super::steps::{Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::{LANES, load, store, with_float, zip};
use crate::kernels::whole::product::Tiled;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct RnnGradKernel<T> {
    steps: Steps<T>,
    activation: RnnActivation,
    state: unsafe fn(State<T>),
}

pub(crate) fn kernel(op: &RnnScanGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (states, isa) = (&signature.inputs[0], Isa::get());
    with_float!(states.dtype, T => {
        Box::new(RnnGradKernel::<T> {
            steps: Steps::new(&states.shape, 1, op.reverse, isa),
            activation: op.activation,
            state: version::<StateLoop<T>>(isa),
        })
    })
}

impl<T: Tiled> Kernel for RnnGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.steps.scratch()
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let plane = steps.batch * steps.size;
        // SAFETY: the weights are as `Run` states.
        unsafe { steps.pack_plain(run.pool, &run.scratch, pointers.input(2)) }
        // What the step after, in the scan's order, returns.
        let after = |part: &Part<T>, time: Option<usize>| {
            // SAFETY: that step was computed before.
            unsafe {
                match time {
                    Some(time) => {
                        let dx = pointers.output::<T>(0).add(time * plane);
                        steps.state_product(part, (dx, steps.size), 0..1, false);
                    }
                    None => steps.clear(part),
                }
            }
        };
        let mut last = None;
        for time in steps.backward() {
            steps.step(run.pool, &run.scratch, |part| {
                after(&part, last);
                // SAFETY: the step lies within the operands and the results; each part's units and rows are
                // written by one thread.
                unsafe {
                    (self.state)(State {
                        part,
                        size: steps.size,
                        activation: self.activation,
                        dh: pointers.input::<T>(0).add(time * plane),
                        h: pointers.input::<T>(1).add(time * plane),
                        dx: pointers.output::<T>(0).add(time * plane),
                    });
                }
            });
            last = Some(time);
        }
        steps.step(run.pool, &run.scratch, |part| {
            after(&part, last);
            // SAFETY: the part's units and rows are written by one thread.
            unsafe { steps.write_tile(&part, pointers.output(1), false) }
        });
    }
}

/// The gradient of a part, from the product.
struct State<T> {
    part: Part<T>,
    size: usize,
    activation: RnnActivation,
    dh: *const T,
    h: *const T,
    dx: *mut T,
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
    let State { part, size, activation, dh, h, dx } = arguments;
    for (row, products) in Steps::rows(&part) {
        // SAFETY: the part's units of this row lie within the step's operands and result.
        unsafe {
            let place = row * size + part.unit;
            let product = load(products, 0, LANES, T::ZERO);
            let dh = zip(load(dh.add(place), 0, units, T::ZERO), product, |a, b| a + b);
            let h = load(h.add(place), 0, units, T::ZERO);
            let value = match activation {
                RnnActivation::Tanh => zip(dh, h, |dh, h| dh * (T::ONE - h * h)),
                RnnActivation::Relu => zip(dh, h, |dh, h| if h > T::ZERO { dh } else { T::ZERO }),
            };
            store(dx.add(place), 0, units, value);
        }
    }
}
