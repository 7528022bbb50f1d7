//! Logical not of truth values, bitwise complement of integers.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "not",
    domain: (-2.0, 2.0),
    vjp: |_x, _y, _dy| unreachable!("its result is not real"),
};

impl Value {
    /// Logical not of truth values, bitwise complement of integers.
    #[track_caller]
    pub fn not(&self) -> Value {
        Value::record_one(Unary::Not, &[self])
    }
}
