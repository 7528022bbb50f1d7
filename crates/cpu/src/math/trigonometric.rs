//! `sin` and `cos` of `f32`; `tan` and `atan2` by way of `f64`.

use super::exponential::ROUNDER;
use super::{MulAdd, polynomial, polynomial_f64};

/// Up to this size of the operand `sin`, `cos` and `tan` are right; beyond, the standard library is.
pub(crate) const TRIGONOMETRIC_LIMIT: f32 = 1_048_576.0;

/// `pi / 2` in three parts. A number below [`TRIGONOMETRIC_LIMIT`], less its multiple of the first, is a multiple of the
/// first's last place and not above 1, so that no bit is lost.
const HALF_PI: [f32; 3] = [1.570_796_4, -4.371_138_8e-8, -1.715_124_5e-15];
/// `(sin(r) / r - 1) / r^2` in `r^2`, for `r` of up to 0.86: quarters are found by rounded numbers.
const SIN: [f32; 4] = [-0.166666666, 0.00833332654, -1.9838493e-4, 2.71092308e-6];
/// `(cos(r) - 1 + r^2 / 2) / r^4` in `r^2`.
const COS: [f32; 3] = [0.0416666326, -0.00138867059, 2.43667978e-5];

/// Added to a number it leaves the number's nearest integer in the low bits.
const ROUNDER_F64: f64 = 6_755_399_441_055_744.0;
/// `pi / 2` in two parts; products of the first with integers below 2^23 are exact.
const HALF_PI_HIGH: f64 = 1.570_796_325_802_803;
const HALF_PI_LOW: f64 = 9.920_935_796_805_404e-10;
/// `(sin(r) / r - 1) / r^2` in `r^2`.
const SIN_F64: [f64; 4] = [-0.16666666641626375, 0.0083333293858922813, -1.9839334840741862e-4, 2.718311561829298e-6];
/// `(cos(r) - 1 + r^2 / 2) / r^4` in `r^2`.
const COS_F64: [f64; 4] = [0.041666666622826722, -0.0013888883753321127, 2.479951999004481e-5, -2.7210236508454087e-7];
/// `(atan(z) / z - 1) / z^2` in `z^2`.
const ATAN: [f64; 14] = [
    -0.33333333326488084,
    0.19999999345843984,
    -0.1428569232325657,
    0.1111073652580006,
    -0.090870914834885532,
    0.076668339614070079,
    -0.065487400671539749,
    0.05488222884676577,
    -0.042832626242861124,
    0.029016192032745105,
    -0.015729254406829716,
    0.0062032956146918763,
    -0.0015512336156666748,
    1.8243484219165776e-4,
];

/// Sine and cosine of the rest of `x` by quarters of a turn, and the number of quarters.
#[inline(always)]
fn sin_cos_f64<M: MulAdd>(x: f32) -> (f64, f64, u64) {
    let x = x as f64;
    let rounded = x * std::f64::consts::FRAC_2_PI + ROUNDER_F64;
    let k = rounded - ROUNDER_F64;
    let r = (x - k * HALF_PI_HIGH) - k * HALF_PI_LOW;
    let square = r * r;
    let sin = M::mul_add_f64(polynomial_f64::<M, 4>(square, SIN_F64) * square, r, r);
    let cos = polynomial_f64::<M, 4>(square, COS_F64) * square;
    let cos = M::mul_add_f64(M::mul_add_f64(cos, 1.0, -0.5), square, 1.0);
    (sin, cos, rounded.to_bits())
}

/// The sine of `x` and `offset` quarters of a turn.
#[inline(always)]
fn sin_of_quarters<M: MulAdd>(x: f32, offset: u32) -> f32 {
    let rounded = M::mul_add(x, std::f32::consts::FRAC_2_PI, ROUNDER);
    let k = rounded - ROUNDER;
    let near = M::fused(-k, HALF_PI[0], x);
    let part = k * HALF_PI[1];
    let high = near - part;
    // What the roundings of `high` and `part` lost, and the third part.
    let low = (near - high) - part;
    let low = M::fused(-k, HALF_PI[2], low - M::fused(k, HALF_PI[1], -part));
    let quarters = rounded.to_bits().wrapping_add(offset);
    let square = high * high;
    let sin = M::mul_add(polynomial::<M, 4>(square, SIN) * square, high, low) + high;
    let half = 0.5 * square;
    let most = 1.0 - half;
    // What the rounding of `most` lost, and the rest of the series.
    let cos = M::mul_add(polynomial::<M, 3>(square, COS) * square, square, M::mul_add(-low, high, (1.0 - most) - half))
        + most;
    let y = if quarters & 1 == 0 { sin } else { cos };
    f32::from_bits(y.to_bits() ^ (quarters & 2) << 30)
}

/// The sine.
#[inline(always)]
pub(super) fn sin<M: MulAdd>(x: f32) -> f32 {
    // Keeps the sign of zero.
    if x == 0.0 { x } else { sin_of_quarters::<M>(x, 0) }
}

/// The cosine.
#[inline(always)]
pub(super) fn cos<M: MulAdd>(x: f32) -> f32 {
    sin_of_quarters::<M>(x, 1)
}

/// The tangent.
#[inline(always)]
pub(super) fn tan<M: MulAdd>(x: f32) -> f32 {
    let (sin, cos, quarters) = sin_cos_f64::<M>(x);
    let is_even = quarters & 1 == 0;
    let (numerator, denominator) = (if is_even { sin } else { -cos }, if is_even { cos } else { sin });
    if x == 0.0 { x } else { (numerator / denominator) as f32 }
}

/// The angle of the point `(x, y)`.
#[inline(always)]
pub(super) fn atan2<M: MulAdd>(y: f32, x: f32) -> f32 {
    let (height, width) = (y.abs() as f64, x.abs() as f64);
    let is_steep = height > width;
    // A NaN becomes the divisor.
    let low = if height < width { height } else { width };
    let high = if height < width { width } else { height };
    let low = if width.is_nan() { width } else { low };
    let ratio = low / high;
    let diagonal = if height == 0.0 { 0.0 } else { 1.0 };
    let ratio = if height == width { diagonal } else { ratio };
    let square = ratio * ratio;
    let angle = M::mul_add_f64(polynomial_f64::<M, 14>(square, ATAN) * square, ratio, ratio);
    let angle = if is_steep { std::f64::consts::FRAC_PI_2 - angle } else { angle };
    let angle = if x.is_sign_negative() { std::f64::consts::PI - angle } else { angle };
    let angle = if height.is_nan() { height } else { angle };
    (angle as f32).copysign(y)
}
