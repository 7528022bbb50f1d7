//! The Gaussian error linear unit and its derivative.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::erf::{erf, erf_f64};
use super::{MulAdd, Real};

/// The density of the normal distribution at 0.
const DENSITY: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;
/// Beyond, the derivative is 0 or 1.
const END: f64 = 14.0;

#[inline(always)]
pub(super) fn gelu<M: MulAdd>(x: f32) -> f32 {
    x * (0.5 + 0.5 * erf::<M>(x * FRAC_1_SQRT_2 as f32))
}

#[inline(always)]
pub(super) fn gelu_slope<M: MulAdd>(x: f32) -> f32 {
    // NaN is neither below nor above.
    let x = if x < -END as f32 { -END as f32 } else { x };
    let x = if x > END as f32 { END as f32 } else { x };
    let density = DENSITY as f32 * Real::exp_of_nonpositive::<M>(-0.5 * x * x);
    0.5 + M::mul_add(x, density, 0.5 * erf::<M>(x * FRAC_1_SQRT_2 as f32))
}

pub(super) fn gelu_f64(x: f64) -> f64 {
    x * (0.5 + 0.5 * erf_f64(x * FRAC_1_SQRT_2))
}

pub(super) fn gelu_slope_f64(x: f64) -> f64 {
    // In `f64` the density is 0 from 39 on.
    let x = x.clamp(-3.0 * END, 3.0 * END);
    0.5 + 0.5 * erf_f64(x * FRAC_1_SQRT_2) + x * DENSITY * (-0.5 * x * x).exp()
}
