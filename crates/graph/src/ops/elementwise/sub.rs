//! Difference, `y = a - b`; integers wrap.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "sub",
    domains: [(-2.0, 2.0), (-2.0, 2.0)],
    vjp: Some(|_a, _b, _y, dy| (dy.clone(), dy.neg())),
};

impl Value {
    /// Difference, `y = a - b`; integers wrap.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn sub(&self, other: &Value) -> Value {
        Value::record_one(Binary::Sub, &[self, other])
    }
}
