//! The greatest whole number not above `x`. Its gradient is 0.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "floor",
    domain: (-2.0, 2.0),
    vjp: |_x, _y, dy| dy.full_like(0.0),
};

impl Value {
    /// The greatest whole number not above `x`. Its gradient is 0.
    #[track_caller]
    pub fn floor(&self) -> Value {
        Value::record_one(Unary::Floor, &[self])
    }
}
