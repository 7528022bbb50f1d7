//! Hyperbolic tangent.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "tanh",
    domain: (-2.0, 2.0),
    vjp: |_x, y, dy| dy.mul(&y.full_like(1.0).sub(&y.mul(y))),
};

impl Value {
    /// Hyperbolic tangent.
    #[track_caller]
    pub fn tanh(&self) -> Value {
        Value::record_one(Unary::Tanh, &[self])
    }
}
