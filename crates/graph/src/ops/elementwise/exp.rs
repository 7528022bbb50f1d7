//! Exponential, `y = e^x`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "exp",
    domain: (-2.0, 2.0),
    vjp: |_x, y, dy| dy.mul(y),
};

impl Value {
    /// Exponential, `y = e^x`.
    #[track_caller]
    pub fn exp(&self) -> Value {
        Value::record_one(Unary::Exp, &[self])
    }
}
