//! `exp`, `expm1`, `logistic` and `tanh` of `f32`.
//!
//! The operand is split as `k ln 2 + r` with `|r| <= ln(2) / 2`; `e^r` is a polynomial, `2^k` an exponent.

use super::{MulAdd, polynomial};

/// Added to a small number it leaves the number's nearest integer in the low bits.
pub(super) const ROUNDER: f32 = 12_582_912.0;
/// `ln 2` in two parts; products of the first with integers below 2^15 are exact.
pub(super) const LN2_HIGH: f32 = 0.693_359_4;
pub(super) const LN2_LOW: f32 = -2.121_944_4e-4;
/// `(e^r - 1 - r) / r^2`.
pub(super) const EXP: [f32; 5] = [0.499_999_935, 0.166_665_207, 0.041_668_387_4, 0.008_368_710_07, 0.001_381_461_07];
/// The same, more precisely, relative to `e^r - 1`.
const EXPM1: [f32; 6] = [0.5, 0.166_666_664, 0.041_666_361, 0.008_333_389_35, 0.001_394_061_74, 1.984_587_64e-4];
/// `(2^r - 1) / r`.
const EXP2: [f32; 6] =
    [0.693_147_203, 0.240_226_479, 0.055_503_324_7, 0.009_618_437_37, 0.001_339_887_49, 1.535_336_04e-4];
/// `(tanh(x) / x - 1) / x^2` in `x^2`.
const TANH: [f32; 5] = [-0.333_332_993, 0.133_319_582, -0.053_786_681, 0.020_805_376_5, -0.005_905_859_42];

/// Below the first `e^x` is 0, above the second infinity.
pub(super) const LEAST_EXPONENT: f32 = -104.0;
pub(super) const GREATEST_EXPONENT: f32 = 89.0;
/// Below it `e^x` is not a normal number.
const LEAST_NORMAL_EXPONENT: f32 = -87.3;

/// `k` and `r` of the operand.
#[inline(always)]
fn reduce<M: MulAdd>(x: f32) -> (i32, f32) {
    let rounded = M::mul_add(x, std::f32::consts::LOG2_E, ROUNDER);
    let k = rounded - ROUNDER;
    let r = M::mul_add(k, -LN2_LOW, M::mul_add(k, -LN2_HIGH, x));
    ((rounded.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32), r)
}

/// `2^k` for an exponent of normal numbers.
#[inline(always)]
pub(super) fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

/// `e^x`.
#[inline(always)]
pub(super) fn exp<M: MulAdd>(x: f32) -> f32 {
    let x = if x > GREATEST_EXPONENT { GREATEST_EXPONENT } else { x };
    let x = if x < LEAST_EXPONENT { LEAST_EXPONENT } else { x };
    let (k, r) = reduce::<M>(x);
    let y = M::mul_add(polynomial::<M, 5>(r, EXP), r * r, r) + 1.0;
    // In two steps, for infinity and subnormal numbers.
    let half = k >> 1;
    y * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

/// `e^x` for `x <= 0`; 0 where the result would be subnormal.
#[inline(always)]
pub(super) fn exp_of_nonpositive<M: MulAdd>(x: f32) -> f32 {
    let (k, r) = reduce::<M>(x);
    let y = M::mul_add(polynomial::<M, 5>(r, EXP), r * r, r) + 1.0;
    // NaN is not below.
    if x < LEAST_NORMAL_EXPONENT { 0.0 } else { y * power_of_two(k) }
}

/// `2^x` for `-126 <= x < 128`, which is not NaN.
#[inline(always)]
pub(super) fn exp2_normal<M: MulAdd>(x: f32) -> f32 {
    let rounded = x + ROUNDER;
    let r = x - (rounded - ROUNDER);
    let y = M::mul_add(polynomial::<M, 6>(r, EXP2), r, 1.0);
    f32::from_bits(y.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// `e^x - 1`.
#[inline(always)]
pub(super) fn expm1<M: MulAdd>(x: f32) -> f32 {
    let bounded = if x > 89.0 { 89.0 } else { x };
    let bounded = if bounded < -18.0 { -18.0 } else { bounded };
    let (k, r) = reduce::<M>(bounded);
    let y = M::mul_add(polynomial::<M, 6>(r, EXPM1), r * r, r);
    // Half the result, because 2^128 is no number.
    let half = power_of_two(k.wrapping_sub(1));
    let y = M::mul_add(half, y, half - 0.5);
    if x.abs() < 1e-8 { x } else { y + y }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn logistic<M: MulAdd>(x: f32) -> f32 {
    let e = exp::<M>(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    // n / (1 + e) = n - n e / (1 + e), which rounds less where e is small.
    let rest = e / (1.0 + e);
    M::mul_add(-numerator, rest, numerator)
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh<M: MulAdd>(x: f32) -> f32 {
    let square = x * x;
    let size = x.abs();
    let small = M::mul_add(polynomial::<M, 5>(square, TANH) * square, size, size);
    let bounded = if size < 10.0 { size } else { 10.0 };
    let e = exp2_normal::<M>(bounded * (2.0 * std::f32::consts::LOG2_E));
    let large = 1.0 - 2.0 / (e + 1.0);
    // NaN is not large.
    let y = if size >= 0.6 { large } else { small };
    y.copysign(x)
}
