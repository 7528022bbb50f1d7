//! `a` shifted left by `b` bits; 0 where `b` is the width or more.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule { name: "shift_left", domains: [(0.0, 5.0), (0.0, 5.0)], vjp: None };

impl Value {
    /// `a` shifted left by `b` bits; 0 where `b` is the width or more.
    ///
    /// # Panics
    /// If the operands differ in shape or element type, or are not integers.
    #[track_caller]
    pub fn shift_left(&self, other: &Value) -> Value {
        Value::record_one(Binary::ShiftLeft, &[self, other])
    }
}
