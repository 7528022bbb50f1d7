//! Logistic sigmoid, `y = 1 / (1 + e^-x)`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "logistic",
    domain: (-3.0, 3.0),
    vjp: |_x, y, dy| dy.mul(&y.mul(&y.full_like(1.0).sub(y))),
};

impl Value {
    /// Logistic sigmoid, `y = 1 / (1 + e^-x)`.
    #[track_caller]
    pub fn logistic(&self) -> Value {
        Value::record_one(Unary::Logistic, &[self])
    }
}
