//! Softmax.

use super::{Operation, SoftmaxGrad, Vjp, reduced_shape, sum};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{Spec, Value};

/// `y = exp(x) / sum of exp(x)` along an axis, computed as `exp(x - max x)` so that it does not overflow.
/// NaN along the axis where an element is NaN or infinite, or all are minus infinity.
///
/// # Source
/// Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs (1990).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softmax {
    /// The axis along which results sum to 1.
    pub axis: usize,
}

impl Operation for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        reduced_shape(&inputs[0], self.axis)?;
        Ok(vec![inputs[0].clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let op = SoftmaxGrad { axis: self.axis };
        vec![Some(Value::record_one(op, &[&context.outputs[0], &context.cotangent()]))]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (x, axes) = (&inputs[0], [self.axis]);
        let spread = |value: Value| value.broadcast_from_reduced(x.shape(), &axes);
        let e = x.sub(&spread(x.reduce(Reduction::Max, &axes))).exp();
        Some(vec![e.div(&spread(sum(&e, &axes)))])
    }
}

impl Value {
    /// `exp(x) / sum of exp(x)` along `axis`; see [`Softmax`].
    ///
    /// # Panics
    /// If there is no such axis, or the elements are not floating-point.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Value {
        Value::record_one(Softmax { axis }, &[self])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], axis: usize| {
        let inputs = [Sample::uniform(shape, -2.0, 2.0)];
        Case::new(format!("softmax {shape:?} along {axis}"), inputs, move |x| vec![x[0].softmax(axis)])
    };
    vec![
        case(&[3, 7], 1),
        case(&[3, 7], 0),
        case(&[2, 5, 3], 1),
        case(&[2, 1], 1),
        case(&[5], 0),
        case(&[2, 37], 1),
        case(&[0, 3], 1),
    ]
}
