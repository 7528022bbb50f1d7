//! Quotient, `y = a / b`; integers round towards zero, and give -1 (all bits set) for `b = 0`.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "div",
    domains: [(-2.0, 2.0), (0.5, 2.0)],
    vjp: Some(|_a, b, y, dy| {
        let da = dy.div(b);
        let db = da.mul(y).neg();
        (da, db)
    }),
};

impl Value {
    /// Quotient, `y = a / b`; integers round towards zero, and give -1 (all bits set) for `b = 0`.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn div(&self, other: &Value) -> Value {
        Value::record_one(Binary::Div, &[self, other])
    }
}
