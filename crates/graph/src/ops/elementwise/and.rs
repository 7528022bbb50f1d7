//! Logical and of truth values, bitwise and of integers.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule { name: "and", domains: [(0.0, 5.0), (0.0, 5.0)], vjp: None };

impl Value {
    /// Logical and of truth values, bitwise and of integers.
    ///
    /// # Panics
    /// If the operands differ in shape or element type, or are not integers or truth values.
    #[track_caller]
    pub fn and(&self, other: &Value) -> Value {
        Value::record_one(Binary::And, &[self, other])
    }
}
