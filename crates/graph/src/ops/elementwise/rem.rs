//! Remainder of the division rounded towards zero, with the sign of `a`.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "rem",
    domains: [(0.1, 0.9), (1.0, 2.0)],
    vjp: Some(|a, b, y, dy| {
        let quotient = a.sub(y).div(b).round();
        (dy.clone(), dy.mul(&quotient).neg())
    }),
};

impl Value {
    /// Remainder of the division rounded towards zero, with the sign of `a`.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn rem(&self, other: &Value) -> Value {
        Value::record_one(Binary::Rem, &[self, other])
    }
}
