//! The gradient of long short-term memory.

use gyrus_graph::ops::whole::recurrent::LstmScanGrad;

use super::cell::{Cell, Factor, Units};
use super::scan::scan;
use crate::kernel::{Kernel, Signature};
use crate::kernels::whole::lanes::Tiled;
use crate::kernels::whole::lanes::{LANES, zip};
use crate::math::MulAdd;

#[derive(Clone, Copy)]
struct LstmGrad {
    has_dcs: bool,
}

pub(crate) fn kernel(op: &LstmScanGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let has_dcs = signature.inputs.get(5).is_some_and(|dcs| dcs.dtype.is_float());
    scan(LstmGrad { has_dcs }, op.reverse, signature)
}

impl<T: Tiled> Cell<T> for LstmGrad {
    const GATES: usize = 4;
    const WEIGHTS: usize = 4;
    const STREAMS: &'static [(usize, usize)] = &[(0, 1), (1, 4), (2, 1)];
    const STATES: &'static [usize] = &[2];
    const IN_PLACE: &'static [(usize, usize)] = &[(1, 0)];
    const FACTORS: &'static [Factor] = &[Factor { output: 0, gates: 4, used: 4 }];
    const CARRIED: &'static [usize] = &[1, 2];

    #[inline(always)]
    unsafe fn compute<M: MulAdd>(&self, at: &Units<T>) {
        // SAFETY: as the caller vouches.
        unsafe {
            let [i, f, g, o] = [at.gate(1, 0, 4), at.gate(1, 1, 4), at.gate(1, 2, 4), at.gate(1, 3, 4)];
            let dh = zip(at.input(0), at.product(0), |a, b| a + b);
            let y = T::tanh_of::<M>(at.input(2));
            let mut dc_now = at.carried(2);
            if self.has_dcs {
                dc_now = zip(dc_now, at.input(5), |a, b| a + b);
            }
            let before = at.before(at.states(2), 3);
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
            at.set_carried(2, dc_now);
            for (gate, value) in [di, df, dg, d_o].into_iter().enumerate() {
                at.set_gate(0, gate, 4, value);
            }
        }
    }
}
