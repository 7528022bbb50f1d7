//! Cube root, `y = x^(1/3)`, for negative operands too.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "cbrt",
    domain: (0.3, 3.0),
    vjp: |_x, y, dy| dy.div(&y.mul(y).mul(&y.full_like(3.0))),
};

impl Value {
    /// Cube root, `y = x^(1/3)`, for negative operands too.
    #[track_caller]
    pub fn cbrt(&self) -> Value {
        Value::record_one(Unary::Cbrt, &[self])
    }
}
