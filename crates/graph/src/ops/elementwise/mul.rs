//! Product, `y = a * b`; integers wrap.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "mul",
    domains: [(-2.0, 2.0), (-2.0, 2.0)],
    vjp: Some(|a, b, _y, dy| (dy.mul(b), dy.mul(a))),
};

impl Value {
    /// Product, `y = a * b`; integers wrap.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn mul(&self, other: &Value) -> Value {
        Value::record_one(Binary::Mul, &[self, other])
    }
}
