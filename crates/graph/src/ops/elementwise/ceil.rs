//! The least whole number not below `x`. Its gradient is 0.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "ceil",
    domain: (-2.0, 2.0),
    vjp: |_x, _y, dy| dy.full_like(0.0),
};

impl Value {
    /// The least whole number not below `x`. Its gradient is 0.
    #[track_caller]
    pub fn ceil(&self) -> Value {
        Value::record_one(Unary::Ceil, &[self])
    }
}
