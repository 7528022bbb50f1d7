//! Exponential less one, `y = e^x - 1`, accurate near 0.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "expm1",
    domain: (-2.0, 2.0),
    vjp: |_x, y, dy| dy.mul(&y.add(&y.full_like(1.0))),
};

impl Value {
    /// Exponential less one, `y = e^x - 1`, accurate near 0.
    #[track_caller]
    pub fn expm1(&self) -> Value {
        Value::record_one(Unary::Expm1, &[self])
    }
}
