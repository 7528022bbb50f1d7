//! Long short-term memory.

use gyrus_graph::ops::whole::recurrent::LstmScan;

use super::cell::{Cell, Units};
use super::scan::scan;
use crate::kernel::{Kernel, Signature};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::{add_product, zip};
use crate::math::MulAdd;

#[derive(Clone, Copy)]
struct Lstm;

pub(crate) fn kernel(op: &LstmScan, signature: &Signature) -> Option<Box<dyn Kernel>> {
    scan(Lstm, op.reverse, signature)
}

impl<T: Tiled> Cell<T> for Lstm {
    const GATES: usize = 4;
    const WEIGHTS: usize = 3;
    const STREAMS: &'static [(usize, usize)] = &[(0, 4)];
    const MADE: &'static [(usize, usize)] = &[(0, 1), (1, 1)];
    const IN_PLACE: &'static [(usize, usize)] = &[(0, 2)];

    #[inline(always)]
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>) {
        // SAFETY: as the caller vouches.
        unsafe {
            let i = T::logistic_of::<M>(at.sum(0, 4, 4));
            at.set_gate(2, 0, 4, i);
            let g = T::tanh_of::<M>(at.sum(2, 4, 4));
            at.set_gate(2, 2, 4, g);
            let added = zip(i, g, |i, g| i * g);
            let f = T::logistic_of::<M>(at.sum(1, 4, 4));
            at.set_gate(2, 1, 4, f);
            let c = add_product::<T, M>(added, f, at.before(at.made_states(1), 2));
            at.set(1, c);
            let o = T::logistic_of::<M>(at.sum(3, 4, 4));
            at.set_gate(2, 3, 4, o);
            at.set(0, zip(o, T::tanh_of::<M>(c), |o, y| o * y));
        }
    }
}
