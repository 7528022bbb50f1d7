//! `pow` and `cbrt` of `f32`, by way of `f64`.

use super::{MulAdd, polynomial_f64};

/// `2 atanh(s) / (s ln 2)` in `s^2`: the logarithm to base 2 of `(1 + s) / (1 - s)`, by `s`.
const LOG2: [f64; 7] = [
    2.8853900817779273,
    0.96179669392431849,
    0.57707801725269981,
    0.41219840112431165,
    0.32061644869148409,
    0.26144242007099242,
    0.24293680515841332,
];
/// `2^r`.
const EXP2: [f64; 9] = [
    1.000000000000027,
    0.69314718054593078,
    0.24022650695467655,
    0.055504109412145079,
    0.009618129228471157,
    0.0013333450561140384,
    1.5403411647741354e-4,
    1.5310080970354464e-5,
    1.3264065936780493e-6,
];
/// A first guess of `m^(1/3)` for `m` from 1 to 2.
const CBRT: [f64; 5] =
    [0.50765948514554255, 0.71622143310124185, -0.29859388533055772, 0.085173497279909803, -0.01045025098995735];

/// The bits of the square root of 1/2.
const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
/// The bits of 2^52: or-ed into the low bits of an integer they make it a floating-point number.
const INTEGERS: u64 = 0x4330_0000_0000_0000;
/// Added to a number it leaves the number's nearest integer in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// The logarithm to base 2 of a positive normal number, 0 and infinity.
#[inline(always)]
fn log2<M: MulAdd>(x: f64) -> f64 {
    // 1024 is added to the exponent to shift a positive number.
    let distance = x.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(1024 << 52);
    let k = f64::from_bits((distance >> 52) | INTEGERS) - (4_503_599_627_370_496.0 + 1024.0);
    let m = f64::from_bits((distance & ((1 << 52) - 1)).wrapping_add(SQRT_HALF));
    let s = (m - 1.0) / (m + 1.0);
    let y = M::mul_add_f64(polynomial_f64::<M, 7>(s * s, LOG2), s, k);
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x < f64::INFINITY { y } else { x }
}

/// `2^x`, to the range of `f32`.
#[inline(always)]
fn exp2<M: MulAdd>(x: f64) -> f64 {
    let x = if x > 200.0 { 200.0 } else { x };
    let x = if x < -200.0 { -200.0 } else { x };
    let rounded = x + ROUNDER;
    let r = x - (rounded - ROUNDER);
    let scale = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    polynomial_f64::<M, 9>(r, EXP2) * scale
}

/// `a^b`, in special cases as C's `pow`.
#[inline(always)]
pub(super) fn pow<M: MulAdd>(a: f32, b: f32) -> f32 {
    let (size, exponent) = (a.abs() as f64, b as f64);
    let y = exp2::<M>(exponent * log2::<M>(size)) as f32;
    let is_whole = b.trunc() == b;
    let half = b * 0.5;
    let is_odd = is_whole && half.trunc() != half;
    let y = if a < 0.0 && !is_whole && a > f32::NEG_INFINITY { f32::NAN } else { y };
    let y = if a.is_sign_negative() && is_odd { -y } else { y };
    let is_one = b == 0.0 || a == 1.0 || (a == -1.0 && b.abs() == f32::INFINITY);
    if is_one { 1.0 } else { y }
}

/// The cube root.
#[inline(always)]
pub(super) fn cbrt<M: MulAdd>(x: f32) -> f32 {
    let size = x.abs() as f64;
    let bits = size.to_bits();
    // |x| = m 2^(3 third + rest) with 1 <= m < 2; 1023 is a multiple of 3, and 43691 / 2^17 almost 1/3.
    let exponent = (bits >> 52) as u32;
    let third = (exponent * 43_691) >> 17;
    let rest = exponent - 3 * third;
    let m = f64::from_bits((bits & ((1 << 52) - 1)) | 0x3ff0_0000_0000_0000);
    let root = polynomial_f64::<M, 5>(m, CBRT);
    let cube = root * root * root;
    // One step of Halley's method.
    let root = root * ((cube + 2.0 * m) / (2.0 * cube + m));
    let factor = if rest == 1 { 1.259_921_049_894_873_2 } else { 1.0 };
    let factor = if rest == 2 { 1.587_401_051_968_199_4 } else { factor };
    let scale = f64::from_bits(((third + (1023 - 341)) as u64) << 52);
    let y = ((root * factor * scale) as f32).copysign(x);
    // Zero, infinity and NaN stay what they are.
    if x != 0.0 && x.abs() < f32::INFINITY { y } else { x }
}
