//! Sine of an angle in radians.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "sin",
    domain: (-3.0, 3.0),
    vjp: |x, _y, dy| dy.mul(&x.cos()),
};

impl Value {
    /// Sine of an angle in radians.
    #[track_caller]
    pub fn sin(&self) -> Value {
        Value::record_one(Unary::Sin, &[self])
    }
}
