//! Whether `x` is neither infinite nor NaN.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "is_finite",
    domain: (-2.0, 2.0),
    vjp: |_x, _y, _dy| unreachable!("its result is not real"),
};

impl Value {
    /// Whether `x` is neither infinite nor NaN.
    #[track_caller]
    pub fn is_finite(&self) -> Value {
        Value::record_one(Unary::IsFinite, &[self])
    }
}
