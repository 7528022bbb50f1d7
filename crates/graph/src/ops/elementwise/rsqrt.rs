//! Reciprocal square root, `y = x^(-1/2)`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "rsqrt",
    domain: (0.3, 3.0),
    vjp: |x, y, dy| dy.mul(&y.full_like(-0.5)).mul(&y.div(x)),
};

impl Value {
    /// Reciprocal square root, `y = x^(-1/2)`.
    #[track_caller]
    pub fn rsqrt(&self) -> Value {
        Value::record_one(Unary::Rsqrt, &[self])
    }
}
