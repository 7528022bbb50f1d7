//! Cosine of an angle in radians.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "cos",
    domain: (-3.0, 3.0),
    vjp: |x, _y, dy| dy.mul(&x.sin()).neg(),
};

impl Value {
    /// Cosine of an angle in radians.
    #[track_caller]
    pub fn cos(&self) -> Value {
        Value::record_one(Unary::Cos, &[self])
    }
}
