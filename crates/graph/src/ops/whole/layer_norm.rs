//! Layer normalisation.

use super::{LayerNormGrad, Operation, Vjp, has_shape, mean, plus, same_float, scaled};
use crate::conformance::{Case, Sample};
use crate::{Real, Shape, Spec, Value};

/// Over the last axis of `x [R.., C]`: `y = (x - mean) rstd gamma + beta` with
/// `rstd = 1 / sqrt(variance + eps)` and the biased variance. `gamma` and `beta` are `[C]`; the outputs
/// are `y [R.., C]`, `mean [R..]` and `rstd [R..]`.
///
/// # Source
/// Ba, Kiros, Hinton, Layer Normalization (2016), equation 4; `eps` within the root as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerNorm {
    /// Added to the variance.
    pub eps: Real,
}

/// The shapes of the rows `[R..]` and of a row `[C]`.
pub(super) fn rows_and_row(x: &Spec) -> Result<(Shape, Shape), String> {
    match x.shape.split_last() {
        Some((&size, rows)) => Ok((rows.into(), [size].into())),
        None => Err("the operand must have an axis".into()),
    }
}

impl Operation for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, gamma, beta] = inputs else { unreachable!("three operands") };
        let dtype = same_float(inputs)?;
        let (rows, row) = rows_and_row(x)?;
        has_shape("gamma", gamma, &row)?;
        has_shape("beta", beta, &row)?;
        Ok(vec![x.clone(), Spec::new(&rows, dtype), Spec::new(&rows, dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([x, gamma, _], [_, mean, rstd]) = (context.inputs, context.outputs) else { unreachable!("three each") };
        let (mut dx, mut dgamma, mut dbeta) = (None, None, None);
        if let Some(dy) = &context.cotangents[0] {
            let grads = Value::record(LayerNormGrad, &[x, gamma, mean, rstd, dy]);
            [dx, dgamma, dbeta] = <[Value; 3]>::try_from(grads).expect("three outputs").map(Some);
        }
        let (last, size) = (x.rank() - 1, *x.shape().last().expect("an axis") as f64);
        let spread = |value: &Value| value.broadcast_from_reduced(x.shape(), &[last]);
        if let Some(dmean) = &context.cotangents[1] {
            dx = plus(dx, spread(&scaled(dmean, 1.0 / size)));
        }
        if let Some(drstd) = &context.cotangents[2] {
            let factor = scaled(&drstd.mul(rstd).mul(rstd).mul(rstd), -1.0 / size);
            dx = plus(dx, x.sub(&spread(mean)).mul(&spread(&factor)));
        }
        vec![dx, dgamma, dbeta]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, gamma, beta] = inputs else { unreachable!("three operands") };
        let last = x.rank() - 1;
        let spread = |value: &Value| value.broadcast_from_reduced(x.shape(), &[last]);
        let along = |value: &Value| value.broadcast(x.shape(), &[last]);
        let center = mean(x, &[last]);
        let centered = x.sub(&spread(&center));
        let variance = mean(&centered.mul(&centered), &[last]);
        let rstd = variance.add(&variance.full_like(self.eps.0)).rsqrt();
        let y = centered.mul(&spread(&rstd)).mul(&along(gamma)).add(&along(beta));
        Some(vec![y, center, rstd])
    }
}

impl Value {
    /// Layer normalisation over the last axis; see [`LayerNorm`].
    ///
    /// # Panics
    /// If `gamma` and `beta` do not have the size of the last axis, or element types differ.
    #[track_caller]
    pub fn layer_norm(&self, gamma: &Value, beta: &Value, eps: f64) -> Value {
        Value::record(LayerNorm { eps: Real(eps) }, &[self, gamma, beta]).swap_remove(0)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], eps: f64| {
        let row = &shape[shape.len() - 1..];
        let inputs =
            [Sample::uniform(shape, -1.0, 2.0), Sample::uniform(row, 0.5, 1.5), Sample::uniform(row, -1.0, 1.0)];
        let build = move |x: &[Value]| Value::record(LayerNorm { eps: Real(eps) }, &[&x[0], &x[1], &x[2]]);
        Case::new(format!("layer_norm {shape:?}"), inputs, build)
    };
    vec![case(&[3, 7], 1e-5), case(&[2, 3, 5], 0.1), case(&[6], 1e-5), case(&[3, 1], 0.5), case(&[5, 37], 1e-5)]
}
