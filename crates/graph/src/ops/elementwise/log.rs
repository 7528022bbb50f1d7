//! Natural logarithm, `y = ln x`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule = UnaryRule {
    name: "log",
    domain: (0.2, 3.0),
    vjp: |x, _y, dy| dy.div(x),
};

impl Value {
    /// Natural logarithm, `y = ln x`.
    #[track_caller]
    pub fn log(&self) -> Value {
        Value::record_one(Unary::Log, &[self])
    }
}
