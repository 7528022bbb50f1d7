//! Sign, `y = -1, 0 or 1`, of the operand's type; NaN stays NaN. Its gradient is 0.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "sign",
    domain: (-2.0, 2.0),
    vjp: |_x, _y, dy| dy.full_like(0.0),
};

impl Value {
    /// Sign, `y = -1, 0 or 1`, of the operand's type; NaN stays NaN. Its gradient is 0.
    #[track_caller]
    pub fn sign(&self) -> Value {
        Value::record_one(Unary::Sign, &[self])
    }
}
