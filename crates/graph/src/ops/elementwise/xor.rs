//! Exclusive or of truth values, bitwise of integers.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule { name: "xor", domains: [(0.0, 5.0), (0.0, 5.0)], vjp: None };

impl Value {
    /// Exclusive or of truth values, bitwise of integers.
    ///
    /// # Panics
    /// If the operands differ in shape or element type, or are not integers or truth values.
    #[track_caller]
    pub fn xor(&self, other: &Value) -> Value {
        Value::record_one(Binary::Xor, &[self, other])
    }
}
