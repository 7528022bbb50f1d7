//! The derivative of the Gaussian error linear unit, `y = Φ(x) + x φ(x)`, where `φ(x) = e^(-x^2 / 2) / sqrt(2 π)`.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "gelu_slope",
    domain: (-3.0, 3.0),
    // φ(x) (2 - x^2)
    vjp: |x, _y, dy| {
        let square = x.mul(x);
        let density = square.mul(&x.full_like(-0.5)).exp().mul(&x.full_like(FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0));
        dy.mul(&density.mul(&x.full_like(2.0).sub(&square)))
    },
};

impl Value {
    /// The derivative of [`Value::gelu`], `y = Φ(x) + x φ(x)`, where `φ(x) = e^(-x^2 / 2) / sqrt(2 π)`.
    #[track_caller]
    pub fn gelu_slope(&self) -> Value {
        Value::record_one(Unary::GeluSlope, &[self])
    }
}
