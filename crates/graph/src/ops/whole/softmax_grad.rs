//! The gradient of softmax.

use super::{Operation, reduced_shape, sum};
use crate::conformance::{Case, Sample};
use crate::ops::elementwise::same_spec;
use crate::{Spec, Value};

/// `dx = y * (dy - sum of dy * y)` along an axis, where `y` is the result of [`super::Softmax`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SoftmaxGrad {
    /// The axis of the softmax.
    pub axis: usize,
}

impl Operation for SoftmaxGrad {
    fn name(&self) -> &'static str {
        "softmax_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [y, dy] = inputs else { unreachable!("two operands") };
        same_spec(y, dy)?;
        reduced_shape(y, self.axis)?;
        Ok(vec![y.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [y, dy] = inputs else { unreachable!("two operands") };
        let axes = [self.axis];
        let total = sum(&dy.mul(y), &axes).broadcast_from_reduced(y.shape(), &axes);
        Some(vec![y.mul(&dy.sub(&total))])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], axis: usize| {
        let inputs = [Sample::uniform(shape, 0.1, 0.9), Sample::uniform(shape, -1.0, 1.0)];
        let build = move |x: &[Value]| vec![Value::record_one(SoftmaxGrad { axis }, &[&x[0], &x[1]])];
        Case::new(format!("softmax_grad {shape:?} along {axis}"), inputs, build)
    };
    // Each operand's gradient is with the other held fixed, although here one is made from the other.
    let dependent = Case::new("softmax_grad of dependent operands", [Sample::uniform([3, 4], 0.1, 0.9)], |x| {
        vec![Value::record_one(SoftmaxGrad { axis: 1 }, &[&x[0], &x[0].exp()])]
    });
    vec![case(&[3, 7], 1), case(&[2, 5, 3], 1), case(&[4, 1], 0), case(&[2, 37], 1), dependent]
}
