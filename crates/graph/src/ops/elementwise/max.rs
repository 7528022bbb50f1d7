//! The greater of two; NaN if either is. At a tie each receives half the gradient.

use super::{Binary, BinaryRule};
use crate::Value;

pub(super) const RULE: BinaryRule = BinaryRule {
    name: "max",
    domains: [(-2.0, 2.0), (-2.0, 2.0)],
    vjp: Some(super::share_at_ties),
};

impl Value {
    /// The greater of two; NaN if either is. At a tie each receives half the gradient.
    ///
    /// # Panics
    /// If the operands differ in shape or element type.
    #[track_caller]
    pub fn max(&self, other: &Value) -> Value {
        Value::record_one(Binary::Max, &[self, other])
    }
}
