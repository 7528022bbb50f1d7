//! Power, `y = a^b`. The gradient for `b` is 0 where `a` is 0 (its limit for `b > 0`), and NaN where `a < 0`.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "pow",
    domains: [(0.3, 2.0), (-2.0, 2.0)],
    vjp: Some(|a, b, y, dy| {
        let one = b.full_like(1.0);
        let da = dy.mul(b).mul(&a.pow(&b.sub(&one)));
        let zero = a.full_like(0.0);
        let safe = a.eq(&zero).select(&one, a);
        (da, dy.mul(y).mul(&safe.log()))
    }),
};

impl Value {
    /// Power, `y = a^b`. The gradient for `b` is 0 where `a` is 0 (its limit for `b > 0`), and NaN where `a < 0`.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn pow(&self, other: &Value) -> Value {
        Value::record_one(Binary::Pow, &[self, other])
    }
}
