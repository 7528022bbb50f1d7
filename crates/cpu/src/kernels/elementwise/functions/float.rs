//! The arithmetic of real numbers.

use std::ops::{Add, Div, Mul, Rem, Sub};

/// What real numbers have by themselves.
pub(super) trait Arithmetic:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Rem<Output = Self>
{
}

impl Arithmetic for f32 {}
impl Arithmetic for f64 {}

#[inline(always)]
#[allow(clippy::eq_op, reason = "NaN alone differs from itself")]
fn is_nan<T: PartialEq + Copy>(x: T) -> bool {
    x != x
}

/// The greater; NaN if either is.
#[inline(always)]
pub(super) fn max<T: Arithmetic>(a: T, b: T) -> T {
    if a > b || is_nan(a) { a } else { b }
}

/// The less; NaN if either is.
#[inline(always)]
pub(super) fn min<T: Arithmetic>(a: T, b: T) -> T {
    if a < b || is_nan(a) { a } else { b }
}

/// The remainder of the division rounded towards zero, exactly.
#[inline(always)]
pub(super) fn rem<T: Arithmetic>(a: T, b: T) -> T {
    a % b
}
