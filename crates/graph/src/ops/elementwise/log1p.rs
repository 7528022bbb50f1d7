//! Logarithm of one more, `y = ln(1 + x)`, accurate near 0.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "log1p",
    domain: (-0.7, 2.0),
    vjp: |x, _y, dy| dy.div(&x.add(&x.full_like(1.0))),
};

impl Value {
    /// Logarithm of one more, `y = ln(1 + x)`, accurate near 0.
    #[track_caller]
    pub fn log1p(&self) -> Value {
        Value::record_one(Unary::Log1p, &[self])
    }
}
