//! Error function, `y = 2 / sqrt(pi) * integral from 0 to x of e^(-t^2) dt`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "erf",
    domain: (-2.0, 2.0),
    vjp: |x, _y, dy| {
        let slope = x.full_like(std::f64::consts::FRAC_2_SQRT_PI);
        dy.mul(&slope.mul(&x.mul(x).neg().exp()))
    },
};

impl Value {
    /// Error function, `y = 2 / sqrt(pi) * integral from 0 to x of e^(-t^2) dt`.
    #[track_caller]
    pub fn erf(&self) -> Value {
        Value::record_one(Unary::Erf, &[self])
    }
}
