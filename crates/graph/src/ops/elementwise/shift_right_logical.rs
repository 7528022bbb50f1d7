//! `a` shifted right by `b` bits, filled with zeros; 0 where `b` is the width or more.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule { name: "shift_right_logical", domains: [(0.0, 5.0), (0.0, 5.0)], vjp: None };

impl Value {
    /// `a` shifted right by `b` bits, filled with zeros; 0 where `b` is the width or more.
    ///
    /// # Panics
    /// If the operands differ in shape or element type, or are not integers.
    #[track_caller]
    pub fn shift_right_logical(&self, other: &Value) -> Value {
        Value::record_one(Binary::ShiftRightLogical, &[self, other])
    }
}
