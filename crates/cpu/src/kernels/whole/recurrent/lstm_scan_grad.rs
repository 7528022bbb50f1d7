//! The gradient of long short-term memory.

use std::marker::PhantomData;

use gyrus_graph::ops::whole::recurrent::LstmScanGrad;

use super::steps::{Part, Steps};
use crate::isa::Isa;
use crate::kernel::{Kernel, Run, Signature};
use crate::kernels::split::Pointers;
use crate::kernels::whole::lanes::{LANES, load, map, store, with_float, zip};
use crate::kernels::whole::product::Tiled;
use crate::math::{MulAdd, Multiversion, version};
use crate::pool::ScratchSize;

struct LstmGradKernel<T> {
    steps: Steps<T>,
    has_dcs: bool,
    gates: unsafe fn(Gates<T>),
}

pub(crate) fn kernel(op: &LstmScanGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let (states, isa) = (&signature.inputs[0], Isa::get());
    with_float!(states.dtype, T => {
        Box::new(LstmGradKernel::<T> {
            steps: Steps::new(&states.shape, 4, op.reverse, isa),
            has_dcs: signature.inputs.len() == 6,
            gates: version::<GatesLoop<T>>(isa),
        })
    })
}

impl<T: Tiled> Kernel for LstmGradKernel<T> {
    fn scratch(&self) -> ScratchSize {
        self.steps.scratch()
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, steps) = (Pointers::of(run), &self.steps);
        let (plane, width) = (steps.batch * steps.size, 4 * steps.size);
        let dc = pointers.output::<T>(2);
        // SAFETY: the weights are as `Run` states; so is `dc0`, where `dc` is kept.
        unsafe {
            steps.pack_plain(run.pool, &run.scratch, pointers.input(4));
            std::slice::from_raw_parts_mut(dc, plane).fill(T::ZERO);
        }
        // The gradient of the gates of the step after, in the scan's order.
        let after = |part: &Part<T>, time: Option<usize>| {
            // SAFETY: that step was computed before.
            unsafe {
                match time {
                    Some(time) => {
                        let dgates = pointers.output::<T>(0).add(4 * time * plane);
                        steps.state_product(part, (dgates, width), 0..4, false);
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
                        dh: pointers.input::<T>(0).add(time * plane),
                        dc_x: self.has_dcs.then(|| pointers.input::<T>(5).add(time * plane)),
                        gates: pointers.input::<T>(1).add(4 * time * plane),
                        c: pointers.input::<T>(2).add(time * plane),
                        c_before: steps.before(pointers.input(2), pointers.input(3), time),
                        dc: pointers.output(2),
                        dgates: pointers.output::<T>(0).add(4 * time * plane),
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

/// The gates' gradient of a part, from the product.
struct Gates<T> {
    part: Part<T>,
    size: usize,
    dh: *const T,
    dc_x: Option<*const T>,
    gates: *const T,
    c: *const T,
    c_before: *const T,
    dc: *mut T,
    dgates: *mut T,
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
    let Gates { part, size, dh, dc_x, gates, c, c_before, dc, dgates } = arguments;
    for (row, products) in Steps::rows(&part) {
        // SAFETY: the part's units of this row lie within the step's operands and results.
        unsafe {
            let place = row * size + part.unit;
            let gate_place = |gate: usize| (4 * row + gate) * size + part.unit;
            let read = |array: *const T| load(array.add(place), 0, units, T::ZERO);
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| load(gates.add(gate_place(gate)), 0, units, T::ZERO));
            let dh = zip(read(dh), load(products, 0, LANES, T::ZERO), |a, b| a + b);
            let y = map(read(c), |c| c.tanh::<M>());
            let mut dc_now = read(dc);
            if let Some(dc_x) = dc_x {
                dc_now = zip(dc_now, read(dc_x), |a, b| a + b);
            }
            let before = read(c_before);
            let [mut di, mut df, mut dg, mut d_o] = [[T::ZERO; LANES]; 4];
            for lane in 0..LANES {
                let (i, f, g, o) = (i[lane], f[lane], g[lane], o[lane]);
                let (y, dh) = (y[lane], dh[lane]);
                let dc = dc_now[lane] + dh * o * (T::ONE - y * y);
                di[lane] = dc * g * i * (T::ONE - i);
                df[lane] = dc * before[lane] * f * (T::ONE - f);
                dg[lane] = dc * i * (T::ONE - g * g);
                d_o[lane] = dh * y * o * (T::ONE - o);
                dc_now[lane] = dc * f;
            }
            store(dc.add(place), 0, units, dc_now);
            for (gate, value) in [di, df, dg, d_o].into_iter().enumerate() {
                store(dgates.add(gate_place(gate)), 0, units, value);
            }
        }
    }
}
