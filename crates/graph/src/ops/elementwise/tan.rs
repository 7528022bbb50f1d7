//! Tangent of an angle in radians.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "tan",
    domain: (-1.2, 1.2),
    vjp: |_x, y, dy| dy.mul(&y.mul(y).add(&y.full_like(1.0))),
};

impl Value {
    /// Tangent of an angle in radians.
    #[track_caller]
    pub fn tan(&self) -> Value {
        Value::record_one(Unary::Tan, &[self])
    }
}
