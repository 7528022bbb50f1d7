//! The Gaussian error linear unit and its derivative.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::erf::{erf, erf_f64};
use super::{MulAdd, Real};

/// The density of the normal distribution at 0.
pub(super) const DENSITY: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;
/// Beyond, the density is 0 in `f32`, and in `f64`.
const END: f32 = 14.0;
const END_F64: f64 = 40.0;

#[inline(always)]
pub(super) fn gelu<M: MulAdd>(x: f32) -> f32 {
    x * (0.5 + 0.5 * erf::<M>(x * FRAC_1_SQRT_2 as f32))
}

#[inline(always)]
pub(super) fn gelu_slope<M: MulAdd>(x: f32) -> f32 {
    // NaN is neither below nor above.
    let x = if x < -END { -END } else { x };
    let x = if x > END { END } else { x };
    let density = DENSITY as f32 * Real::exp_of_nonpositive::<M>(-0.5 * x * x);
    0.5 + M::mul_add(x, density, 0.5 * erf::<M>(x * FRAC_1_SQRT_2 as f32))
}

pub(super) fn gelu_f64(x: f64) -> f64 {
    x * (0.5 + 0.5 * erf_f64(x * FRAC_1_SQRT_2))
}

pub(super) fn gelu_slope_f64(x: f64) -> f64 {
    let x = x.clamp(-END_F64, END_F64);
    0.5 + 0.5 * erf_f64(x * FRAC_1_SQRT_2) + x * DENSITY * (-0.5 * x * x).exp()
}
