//! The gradient of the gated recurrent unit.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::recurrent::GruScanGrad;

use super::steps::{Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::{LANES, load, store, with_float, zip};
use crate::kernels::whole::product::Tiled;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct GruGradKernel<T> {
    steps: Steps<T>,
    gates: unsafe fn(Gates<T>),
}

pub(crate) fn kernel(op: &GruScanGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (states, isa) = (&signature.inputs[0], Isa::get());
    with_float!(states.dtype, T => {
        Box::new(GruGradKernel::<T> {
            steps: Steps::new(&states.shape, 3, op.reverse, isa),
            gates: version::<GatesLoop<T>>(isa),
        })
    })
}

impl<T: Tiled> Kernel for GruGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.steps.scratch()
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let (plane, width) = (steps.batch * steps.size, 3 * steps.size);
        // SAFETY: the weights are as `Run` states; so is `dh0`, where the part of `dh` that does not go
        // through the weights is kept.
        unsafe {
            steps.pack_plain(run.pool, &run.scratch, pointers.input(4));
            std::slice::from_raw_parts_mut(pointers.output::<T>(2), plane).fill(T::ZERO);
        }
        // What the step after, in the scan's order, returns through the weights.
        let after = |part: &Part<T>, time: Option<usize>| {
            // SAFETY: that step was computed before.
            unsafe {
                match time {
                    Some(time) => {
                        let dgates = pointers.output::<T>(0).add(3 * time * plane);
                        let dq = pointers.output::<T>(1).add(time * plane);
                        steps.state_product(part, (dgates, width), 0..2, false);
                        steps.state_product(part, (dq, steps.size), 2..3, true);
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
                    (self.gates)(Gates {
                        part,
                        size: steps.size,
                        dh_x: pointers.input::<T>(0).add(time * plane),
                        gates: pointers.input::<T>(1).add(4 * time * plane),
                        h_before: steps.before(pointers.input(2), pointers.input(3), time),
                        dh: pointers.output(2),
                        dgates: pointers.output::<T>(0).add(3 * time * plane),
                        dq: pointers.output::<T>(1).add(time * plane),
                    });
                }
            });
            last = Some(time);
        }
        steps.step(run.pool, &run.scratch, |part| {
            after(&part, last);
            // SAFETY: the part's units and rows are written by one thread.
            unsafe { steps.write_tile(&part, pointers.output(2), true) }
        });
    }
}

/// The gates' gradient of a part, from the product.
struct Gates<T> {
    part: Part<T>,
    size: usize,
    dh_x: *const T,
    gates: *const T,
    h_before: *const T,
    dh: *mut T,
    dgates: *mut T,
    dq: *mut T,
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
    let Gates { part, size, dh_x, gates, h_before, dh, dgates, dq } = arguments;
    for (row, products) in Steps::rows(&part) {
        // SAFETY: the part's units of this row lie within the step's operands and results.
        unsafe {
            let place = row * size + part.unit;
            let read = |array: *const T| load(array.add(place), 0, units, T::ZERO);
            let gate = |gate: usize| load(gates.add((4 * row + gate) * size + part.unit), 0, units, T::ZERO);
            let [r, z, n, q] = [gate(0), gate(1), gate(2), gate(3)];
            let direct = zip(read(dh), read(dh_x), |a, b| a + b);
            let mut now = zip(direct, load(products, 0, LANES, T::ZERO), |a, b| a + b);
            let before = read(h_before);
            let [mut dr, mut dz, mut dn, mut d_q] = [[T::ZERO; LANES]; 4];
            for lane in 0..LANES {
                let (r, z, n, dh) = (r[lane], z[lane], n[lane], now[lane]);
                dn[lane] = dh * (T::ONE - z) * (T::ONE - n * n);
                dz[lane] = dh * (before[lane] - n) * z * (T::ONE - z);
                dr[lane] = dn[lane] * q[lane] * r * (T::ONE - r);
                d_q[lane] = dn[lane] * r;
                now[lane] = dh * z;
            }
            store(dh.add(place), 0, units, now);
            store(dq.add(place), 0, units, d_q);
            for (gate, value) in [dr, dz, dn].into_iter().enumerate() {
                store(dgates.add((3 * row + gate) * size + part.unit), 0, units, value);
            }
        }
    }
}
