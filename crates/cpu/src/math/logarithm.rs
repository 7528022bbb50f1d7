//! `log` and `log1p` of `f32`: the operand is `2^k (1 + f)` with `1 + f` between the square roots of 1/2
//! and 2; `log(1 + f)` is a polynomial.

use super::exponential::{LN2_HIGH, LN2_LOW, power_of_two};
use super::{MulAdd, polynomial};

/// `(log(1 + f) - f + f^2 / 2) / f^3`.
const LOG: [f32; 9] = [
    0.333_333_126,
    -0.250_000_096,
    0.200_021_187,
    -0.166_679_956,
    0.142_195_507,
    -0.124_055_918,
    0.118_881_765,
    -0.116_756_397,
    0.067_465_954,
];
/// The bits of the square root of 1/2.
const SQRT_HALF: u32 = 0x3f35_04f3;

/// `k` and `1 + f` of a positive normal number.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let distance = x.to_bits().wrapping_sub(SQRT_HALF);
    let k = (distance as i32) >> 23;
    (k, f32::from_bits((distance & 0x007f_ffff).wrapping_add(SQRT_HALF)))
}

/// `k ln 2 + log(1 + f)`.
#[inline(always)]
fn combine<M: MulAdd>(k: f32, f: f32) -> f32 {
    let square = f * f;
    let y = polynomial::<M, 9>(f, LOG) * (square * f);
    let y = M::mul_add(k, LN2_LOW, y);
    let y = M::mul_add(square, -0.5, y);
    M::mul_add(k, LN2_HIGH, f + y)
}

/// The limits: `y` is right for positive finite `x`.
#[inline(always)]
fn with_limits(x: f32, y: f32) -> f32 {
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f32::NAN } else { y };
    // Infinity and NaN stay what they are.
    if x < f32::INFINITY { y } else { x }
}

/// The natural logarithm.
#[inline(always)]
pub(super) fn log<M: MulAdd>(x: f32) -> f32 {
    let is_subnormal = x < f32::MIN_POSITIVE;
    let normal = if is_subnormal { x * 16_777_216.0 } else { x };
    let (k, m) = split(normal);
    let k = k as f32 - if is_subnormal { 24.0 } else { 0.0 };
    with_limits(x, combine::<M>(k, m - 1.0))
}

/// The natural logarithm of `1 + x`.
#[inline(always)]
pub(super) fn log1p<M: MulAdd>(x: f32) -> f32 {
    let sum = 1.0 + x;
    let (k, m) = split(sum);
    // (1 + x) / 2^k - 1 from x itself, as the sum has lost bits of it.
    let scale = power_of_two((-k).max(-60));
    let f = M::mul_add(x, scale, scale - 1.0);
    let f = if k > 24 { m - 1.0 } else { f };
    let y = with_limits(sum, combine::<M>(k as f32, f));
    // Keeps the sign of zero.
    if x.abs() < 1e-10 { x } else { y }
}
