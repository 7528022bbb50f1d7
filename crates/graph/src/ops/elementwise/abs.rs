//! Absolute value, `y = |x|`; the gradient at 0 is 0.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "abs",
    domain: (-2.0, 2.0),
    vjp: |x, _y, dy| dy.mul(&x.sign()),
};

impl Value {
    /// Absolute value, `y = |x|`; the gradient at 0 is 0.
    #[track_caller]
    pub fn abs(&self) -> Value {
        Value::record_one(Unary::Abs, &[self])
    }
}
