//! The gradient of batch normalisation.

use super::batch_norm_training::{along_channels, averaged, channels};
use super::{BatchNormTraining, Operation, has_shape, mean, same_float, sum};
use crate::conformance::{Case, Sample};
use crate::ops::elementwise::same_spec;
use crate::{Real, Spec, Value};

/// From `x [N, C, spatial..]`, `gamma`, `mean` and `variance [C]`, and `dy`, with
/// `rstd = 1 / sqrt(variance + eps)`, `z = (x - mean) rstd` and sums and means over all axes but the second:
/// `dx = gamma rstd (dy - mean(dy) - z mean(dy z))`, `dgamma = sum of dy z`, `dbeta = sum of dy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchNormGrad {
    /// What this is the gradient of.
    pub of: BatchNormTraining,
}

impl Operation for BatchNormGrad {
    fn name(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, gamma, mean, variance, dy] = inputs else { unreachable!("five operands") };
        same_float(inputs)?;
        let channels = channels(x)?;
        has_shape("gamma", gamma, &channels)?;
        has_shape("mean", mean, &channels)?;
        has_shape("variance", variance, &channels)?;
        same_spec(x, dy)?;
        Ok(vec![x.clone(), gamma.clone(), gamma.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, gamma, center, variance, dy] = inputs else { unreachable!("five operands") };
        let axes = averaged(x);
        let spread = |value: &Value| along_channels(value, x);
        let rstd = variance.add(&variance.full_like(self.of.eps.0)).rsqrt();
        let z = x.sub(&spread(center)).mul(&spread(&rstd));
        let dyz = dy.mul(&z);
        let along_z = spread(&mean(&dyz, &axes)).mul(&z);
        let dx = dy.sub(&spread(&mean(dy, &axes))).sub(&along_z).mul(&spread(&gamma.mul(&rstd)));
        Some(vec![dx, sum(&dyz, &axes), sum(dy, &axes)])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], eps: f64| {
        let channels = &shape[1..2];
        let inputs = [
            Sample::uniform(shape, -1.0, 2.0),
            Sample::uniform(channels, 0.5, 1.5),
            Sample::uniform(channels, 0.0, 1.0),
            Sample::uniform(channels, 0.5, 1.5),
            Sample::uniform(shape, -1.0, 1.0),
        ];
        let op = BatchNormGrad { of: BatchNormTraining { eps: Real(eps), is_of_all_shares: true } };
        let build = move |x: &[Value]| Value::record(op, &[&x[0], &x[1], &x[2], &x[3], &x[4]]);
        Case::new(format!("batch_norm_grad {shape:?}"), inputs, build)
    };
    vec![case(&[4, 3], 1e-5), case(&[3, 2, 3, 5], 0.1), case(&[5, 1, 1, 7], 1e-5), case(&[1, 2, 1], 0.5)]
}
