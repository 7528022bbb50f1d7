//! Square root, `y = x^(1/2)`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "sqrt",
    domain: (0.3, 3.0),
    vjp: |_x, y, dy| dy.mul(&y.full_like(0.5)).div(y),
};

impl Value {
    /// Square root, `y = x^(1/2)`.
    #[track_caller]
    pub fn sqrt(&self) -> Value {
        Value::record_one(Unary::Sqrt, &[self])
    }
}
