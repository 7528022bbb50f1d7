//! The gradient of the gated recurrent unit.

use gyrus_graph::ops::whole::recurrent::GruScanGrad;

use super::cell::{Cell, Factor, Units};
use super::scan::scan;
use crate::kernel::{Kernel, Signature};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::{LANES, zip};
use crate::math::MulAdd;

#[derive(Clone, Copy)]
struct GruGrad;

pub(crate) fn kernel(op: &GruScanGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    scan(GruGrad, op.reverse, signature)
}

impl<T: Tiled> Cell<T> for GruGrad {
    const GATES: usize = 3;
    const WEIGHTS: usize = 5;
    const STREAMS: &'static [(usize, usize)] = &[(0, 1), (1, 3), (2, 1)];
    const STATES: &'static [usize] = &[3];
    const IN_PLACE: &'static [(usize, usize)] = &[(1, 0), (2, 1)];
    const FACTORS: &'static [Factor] =
        &[Factor { output: 0, gates: 3, used: 2 }, Factor { output: 1, gates: 1, used: 1 }];
    const CARRIED: &'static [usize] = &[2];

    #[inline(always)]
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>) {
        // SAFETY: as the caller vouches.
        unsafe {
            let [r, z, n] = [at.gate(1, 0, 3), at.gate(1, 1, 3), at.gate(1, 2, 3)];
            let q = at.input(2);
            // What does not go through the weights is carried.
            let direct = zip(at.carried(2), at.input(0), |a, b| a + b);
            let mut now = zip(direct, at.product(0), |a, b| a + b);
            let before = at.before(at.states(3), 4);
            let [mut dr, mut dz, mut dn, mut dq] = [[T::ZERO; LANES]; 4];
            for lane in 0..LANES {
                let (r, z, n, dh) = (r[lane], z[lane], n[lane], now[lane]);
                dn[lane] = dh * (T::ONE - z) * (T::ONE - n * n);
                dz[lane] = dh * (before[lane] - n) * z * (T::ONE - z);
                dr[lane] = dn[lane] * q[lane] * r * (T::ONE - r);
                dq[lane] = dn[lane] * r;
                now[lane] = dh * z;
            }
            at.set_carried(2, now);
            at.set(1, dq);
            for (gate, value) in [dr, dz, dn].into_iter().enumerate() {
                at.set_gate(0, gate, 3, value);
            }
        }
    }
}
