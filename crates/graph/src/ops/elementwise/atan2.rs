//! Angle in radians of the point `(b, a)` from the positive first axis, in `[-pi, pi]`.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "atan2",
    domains: [(0.5, 2.0), (0.5, 2.0)],
    vjp: Some(|a, b, _y, dy| {
        let norm = a.mul(a).add(&b.mul(b));
        (dy.mul(b).div(&norm), dy.mul(a).div(&norm).neg())
    }),
};

impl Value {
    /// Angle in radians of the point `(b, a)` from the positive first axis, in `[-pi, pi]`.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn atan2(&self, other: &Value) -> Value {
        Value::record_one(Binary::Atan2, &[self, other])
    }
}
