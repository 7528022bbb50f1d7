//! Gated recurrent unit.

use gyrus_graph::ops::whole::recurrent::GruScan;

use super::cell::{Cell, Units};
use super::scan::scan;
use crate::kernel::{Kernel, Signature};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::{add_product, zip};
use crate::math::MulAdd;

#[derive(Clone, Copy)]
struct Gru;

pub(crate) fn kernel(op: &GruScan, signature: &Signature) -> Option<Box<dyn Kernel>> {
    scan(Gru, op.reverse, signature)
}

impl<T: Tiled> Cell<T> for Gru {
    const GATES: usize = 3;
    const WEIGHTS: usize = 2;
    const STREAMS: &'static [(usize, usize)] = &[(0, 3)];
    const MADE: &'static [(usize, usize)] = &[(0, 1), (2, 1)];
    const IN_PLACE: &'static [(usize, usize)] = &[(0, 1)];

    #[inline(always)]
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>) {
        // SAFETY: as the caller vouches.
        unsafe {
            let r = T::logistic_of::<M>(at.sum(0, 3, 3));
            at.set_gate(1, 0, 3, r);
            let q = zip(at.product(2), at.bias(3, 3), |a, b| a + b);
            at.set(2, q);
            let x = zip(at.gate(0, 2, 3), at.bias(3, 2), |a, b| a + b);
            let n = T::tanh_of::<M>(add_product::<T, M>(x, r, q));
            at.set_gate(1, 2, 3, n);
            let z = T::logistic_of::<M>(at.sum(1, 3, 3));
            at.set_gate(1, 1, 3, z);
            // (1 - z) n + z h'
            let difference = zip(at.before(at.made_states(0), 1), n, |before, n| before - n);
            at.set(0, add_product::<T, M>(n, z, difference));
        }
    }
}
