//! The gradient of the plain recurrent network.

use gyrus_graph::ops::whole::recurrent::{RnnActivation, RnnScanGrad};

use super::cell::{Cell, Factor, Units};
use super::scan::scan;
use crate::kernel::{Kernel, Signature};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::zip;
use crate::math::MulAdd;

#[derive(Clone, Copy)]
struct RnnGrad(RnnActivation);

pub(crate) fn kernel(op: &RnnScanGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    scan(RnnGrad(op.activation), op.reverse, signature)
}

impl<T: Tiled> Cell<T> for RnnGrad {
    const GATES: usize = 1;
    const WEIGHTS: usize = 2;
    const STREAMS: &'static [(usize, usize)] = &[(0, 1), (1, 1)];
    const IN_PLACE: &'static [(usize, usize)] = &[(0, 0), (1, 0)];
    const FACTORS: &'static [Factor] = &[Factor { output: 0, gates: 1, used: 1 }];
    const CARRIED: &'static [usize] = &[1];

    #[inline(always)]
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>) {
        // SAFETY: as the caller vouches.
        unsafe {
            let dh = zip(at.input(0), at.product(0), |a, b| a + b);
            let h = at.input(1);
            at.set(
                0,
                match self.0 {
                    RnnActivation::Tanh => zip(dh, h, |dh, h| dh * (T::ONE - h * h)),
                    RnnActivation::Relu => zip(dh, h, |dh, h| if h > T::ZERO { dh } else { T::ZERO }),
                },
            );
        }
    }
}
