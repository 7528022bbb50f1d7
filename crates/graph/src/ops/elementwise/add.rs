//! Sum, `y = a + b`; integers wrap.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "add",
    domains: [(-2.0, 2.0), (-2.0, 2.0)],
    vjp: Some(|_a, _b, _y, dy| (dy.clone(), dy.clone())),
};

impl Value {
    /// Sum, `y = a + b`; integers wrap.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn add(&self, other: &Value) -> Value {
        Value::record_one(Binary::Add, &[self, other])
    }
}
