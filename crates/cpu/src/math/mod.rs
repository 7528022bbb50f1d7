//! Elementary functions without branches, so that loops over them become vector code wherever they are
//! compiled for: see [`version`].
//!
//! Largest errors in `f32`, in units in the last place of the result, measured over every 97th `f32`
//! (44 million of them) and densely around the places where formulas change, with and without fused
//! multiply-add; the tests hold them to the limits:
//!
//! | function | measured | limit |
//! | --- | --- | --- |
//! | `exp`, also of what is not above 0 | 0.99 | 1.0 |
//! | `expm1` | 1.47 | 1.5 |
//! | `log` | 0.79 | 0.8 |
//! | `log1p` | 1.35 | 1.4 |
//! | `tanh` | 1.65 | 1.7 |
//! | `logistic` | 1.69 | 1.7 |
//! | `erf` | 1.64 | 1.7; without fused multiply-add 3.0 |
//! | `tanh`, `erf`, `exp`, `logistic` of vectors of AVX-512, every 1999th `f32` | 1.18, 1.41, 0.94, 1.50 | 1.2, 1.42, 1.0, 1.7 |
//! | `gelu`, in last places of the operand, and its derivative, in those of 1, every 1999th `f32` | 0.93, 1.20 | 1.3 |
//! | `rsqrt` | 1.49 | 1.5 |
//! | `sin`, `cos` | 0.86 | 0.9 |
//! | `tan`, `cbrt`, `pow`, `atan2` | 0.50 | 0.51 |
//! | `sqrt`, `floor`, `ceil`, `round`, `sign` | exact or correctly rounded | |
//!
//! In `f64` the functions are those of the standard library but for `erf`, whose relative error is below
//! 1e-15. The polynomials are derived by `scripts/fit_math.py`.

#![allow(clippy::excessive_precision, clippy::approx_constant, reason = "coefficients are as they were fitted")]

#[cfg(target_arch = "x86_64")]
mod avx512;
mod erf;
mod exponential;
mod gelu;
mod logarithm;
mod power;
mod real;
mod reals;
#[cfg(test)]
mod tests;
mod trigonometric;
pub(crate) mod version;

pub(crate) use real::Real;
pub(crate) use reals::Reals;
pub(crate) use version::{MulAdd, Multiversion, version, version_of_baseline, version_up_to_avx2};
#[cfg(target_arch = "x86_64")]
pub(crate) use version::{version_with_avx2, version_with_avx512, version_with_bf16};

/// The polynomial with these coefficients, constant term first.
#[inline(always)]
fn polynomial<M: MulAdd, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[N - 1];
    for index in (0..N - 1).rev() {
        sum = M::mul_add(sum, x, coefficients[index]);
    }
    sum
}

/// The polynomial with these coefficients, constant term first.
#[inline(always)]
fn polynomial_f64<M: MulAdd, const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[N - 1];
    for index in (0..N - 1).rev() {
        sum = M::mul_add_f64(sum, x, coefficients[index]);
    }
    sum
}
