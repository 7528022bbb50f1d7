//! Logarithm of the sum of exponentials.

use super::{Operation, Vjp, reduced_shape, sum};
use crate::conformance::{Case, Sample};
use crate::ops::reduction::Reduction;
use crate::{Spec, Value};

/// `y = log(sum of exp(x))` along an axis, which disappears, computed as `m + log(sum of exp(x - m))` with
/// `m = max x` so that it does not overflow. Minus infinity where all are minus infinity, or there are
/// none; infinity where one is infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSumExp {
    /// The axis to sum over.
    pub axis: usize,
}

impl Operation for LogSumExp {
    fn name(&self) -> &'static str {
        "log_sum_exp"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        Ok(vec![Spec::new(reduced_shape(&inputs[0], self.axis)?, inputs[0].dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let x = &context.inputs[0];
        let dy = context.cotangent().broadcast_from_reduced(x.shape(), &[self.axis]);
        vec![Some(x.softmax(self.axis).mul(&dy))]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (x, axes) = (&inputs[0], [self.axis]);
        let greatest = x.reduce(Reduction::Max, &axes);
        let shift = greatest.is_finite().select(&greatest, &greatest.full_like(0.0));
        let total = sum(&x.sub(&shift.broadcast_from_reduced(x.shape(), &axes)).exp(), &axes);
        Some(vec![shift.add(&total.log())])
    }
}

impl Value {
    /// `log(sum of exp(x))` along `axis`, which disappears; see [`LogSumExp`].
    ///
    /// # Panics
    /// If there is no such axis, or the elements are not floating-point.
    #[track_caller]
    pub fn log_sum_exp(&self, axis: usize) -> Value {
        Value::record_one(LogSumExp { axis }, &[self])
    }

    /// The logarithm of softmax, `y = x - log(sum of exp(x))` along `axis`.
    ///
    /// # Panics
    /// If there is no such axis, or the elements are not floating-point.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Value {
        self.sub(&self.log_sum_exp(axis).broadcast_from_reduced(self.shape(), &[axis]))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], axis: usize| {
        let inputs = [Sample::uniform(shape, -2.0, 2.0)];
        let build = move |x: &[Value]| vec![x[0].log_sum_exp(axis), x[0].log_softmax(axis)];
        Case::new(format!("log_sum_exp {shape:?} along {axis}"), inputs, build)
    };
    vec![case(&[3, 7], 1), case(&[2, 5, 3], 1), case(&[5, 1], 1), case(&[4], 0), case(&[2, 37], 1)]
}
