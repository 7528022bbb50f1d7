//! Root-mean-square normalisation.

use super::layer_norm::rows_and_row;
use super::{Operation, RmsNormGrad, Vjp, has_shape, mean, plus, same_float, scaled};
use crate::conformance::{Case, Sample};
use crate::{Real, Spec, Value};

/// Over the last axis of `x [R.., C]`: `y = x rstd gamma` with `rstd = 1 / sqrt(mean of x^2 + eps)`.
/// `gamma` is `[C]`; the outputs are `y [R.., C]` and `rstd [R..]`.
///
/// # Source
/// Zhang, Sennrich, Root Mean Square Layer Normalization (2019), equation 4; `eps` as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RmsNorm {
    /// Added to the mean of squares.
    pub eps: Real,
}

impl Operation for RmsNorm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, gamma] = inputs else { unreachable!("two operands") };
        let dtype = same_float(inputs)?;
        let (rows, row) = rows_and_row(x)?;
        has_shape("gamma", gamma, &row)?;
        Ok(vec![x.clone(), Spec::new(rows, dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([x, gamma], [_, rstd]) = (context.inputs, context.outputs) else { unreachable!("two each") };
        let (mut dx, mut dgamma) = (None, None);
        if let Some(dy) = &context.cotangents[0] {
            let grads = Value::record(RmsNormGrad, &[x, gamma, rstd, dy]);
            [dx, dgamma] = <[Value; 2]>::try_from(grads).expect("two outputs").map(Some);
        }
        if let Some(drstd) = &context.cotangents[1] {
            let (last, size) = (x.rank() - 1, *x.shape().last().expect("an axis") as f64);
            let factor = scaled(&drstd.mul(rstd).mul(rstd).mul(rstd), -1.0 / size);
            dx = plus(dx, x.mul(&factor.broadcast_from_reduced(x.shape(), &[last])));
        }
        vec![dx, dgamma]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, gamma] = inputs else { unreachable!("two operands") };
        let last = x.rank() - 1;
        let square = mean(&x.mul(x), &[last]);
        let rstd = square.add(&square.full_like(self.eps.0)).rsqrt();
        let y = x.mul(&rstd.broadcast_from_reduced(x.shape(), &[last])).mul(&gamma.broadcast(x.shape(), &[last]));
        Some(vec![y, rstd])
    }
}

impl Value {
    /// Root-mean-square normalisation over the last axis; see [`RmsNorm`].
    ///
    /// # Panics
    /// If `gamma` does not have the size of the last axis, or element types differ.
    #[track_caller]
    pub fn rms_norm(&self, gamma: &Value, eps: f64) -> Value {
        Value::record(RmsNorm { eps: Real(eps) }, &[self, gamma]).swap_remove(0)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], eps: f64| {
        let inputs = [Sample::uniform(shape, -1.0, 2.0), Sample::uniform(&shape[shape.len() - 1..], 0.5, 1.5)];
        let build = move |x: &[Value]| Value::record(RmsNorm { eps: Real(eps) }, &[&x[0], &x[1]]);
        Case::new(format!("rms_norm {shape:?}"), inputs, build)
    };
    vec![case(&[3, 7], 1e-5), case(&[2, 3, 5], 0.1), case(&[6], 1e-5), case(&[3, 1], 0.5), case(&[5, 37], 1e-5)]
}
