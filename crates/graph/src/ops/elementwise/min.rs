//! The lesser of two; NaN if either is. At a tie each receives half the gradient.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "min",
    domains: [(-2.0, 2.0), (-2.0, 2.0)],
    vjp: Some(super::share_at_ties),
};

impl Value {
    /// The lesser of two; NaN if either is. At a tie each receives half the gradient.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn min(&self, other: &Value) -> Value {
        Value::record_one(Binary::Min, &[self, other])
    }
}
