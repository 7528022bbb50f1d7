//! Gaussian error linear unit, `y = x Φ(x)`, where `Φ(x) = (1 + erf(x / sqrt(2))) / 2`.

use super::{Unary, UnaryRule};
use crate::Value;

pub(super) const RULE: UnaryRule =
    UnaryRule { name: "gelu", domain: (-3.0, 3.0), vjp: |x, _y, dy| dy.mul(&x.gelu_slope()) };

impl Value {
    /// Gaussian error linear unit, `y = x Φ(x)`, where `Φ(x) = (1 + erf(x / sqrt(2))) / 2`.
    ///
    /// # Source
    /// Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    #[track_caller]
    pub fn gelu(&self) -> Value {
        Value::record_one(Unary::Gelu, &[self])
    }
}
