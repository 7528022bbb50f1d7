//! The plain recurrent network.

use gyrus_graph::ops::whole::recurrent::{RnnActivation, RnnScan};

use super::cell::{Cell, Units};
use super::scan::scan;
use crate::kernel::{Kernel, Signature};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::map;
use crate::math::MulAdd;

#[derive(Clone, Copy)]
struct Rnn(RnnActivation);

pub(crate) fn kernel(op: &RnnScan, signature: &Signature) -> Option<Box<dyn Kernel>> {
    scan(Rnn(op.activation), op.reverse, signature)
}

impl<T: Tiled> Cell<T> for Rnn {
    const GATES: usize = 1;
    const WEIGHTS: usize = 2;
    const STREAMS: &'static [(usize, usize)] = &[(0, 1)];
    const IN_PLACE: &'static [(usize, usize)] = &[(0, 0)];

    #[inline(always)]
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>) {
        // SAFETY: as the caller vouches.
        unsafe {
            let sum = at.sum(0, 1, 3);
            at.set(
                0,
                match self.0 {
                    RnnActivation::Tanh => T::tanh_of::<M>(sum),
                    // NaN is not less.
                    RnnActivation::Relu => map(sum, |x| if x < T::ZERO { T::ZERO } else { x }),
                },
            );
        }
    }
}
