//! Negation, `y = -x`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "neg",
    domain: (-2.0, 2.0),
    vjp: |_x, _y, dy| dy.neg(),
};

impl Value {
    /// Negation, `y = -x`.
    #[track_caller]
    pub fn neg(&self) -> Value {
        Value::record_one(Unary::Neg, &[self])
    }
}
