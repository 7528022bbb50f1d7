//! `a` shifted right by `b` bits, filled with the sign.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule { name: "shift_right_arithmetic", domains: [(0.0, 5.0), (0.0, 5.0)], vjp: None };

impl Value {
    /// `a` shifted right by `b` bits, filled with the sign.
    ///
    /// # Panics
    /// If the operands differ in shape or element type, or are not integers.
    #[track_caller]
    pub fn shift_right_arithmetic(&self, other: &Value) -> Value {
        Value::record_one(Binary::ShiftRightArithmetic, &[self, other])
    }
}
