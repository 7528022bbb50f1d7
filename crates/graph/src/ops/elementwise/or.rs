//! Logical or of truth values, bitwise or of integers.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule { name: "or", domains: [(0.0, 5.0), (0.0, 5.0)], vjp: None };

impl Value {
    /// Logical or of truth values, bitwise or of integers.
    ///
    /// # Panics
    /// If the operands differ in shape or element type, or are not integers or truth values.
    #[track_caller]
    pub fn or(&self, other: &Value) -> Value {
        Value::record_one(Binary::Or, &[self, other])
    }
}
