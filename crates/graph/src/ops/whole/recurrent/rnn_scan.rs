//! The plain recurrent network.

use super::weight_gradient;
use super::{Operation, RnnScanGrad, Vjp, by_transposed, has_shape, plus_bias, previous, same_float, sizes};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// The function of a plain recurrent network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RnnActivation {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
}

/// From `x [T, B, H]`, the inputs by their weights, `h0 [B, H]`, `w_hh [H, H]` and `bias [H]`, step by step
/// `h = f(x[t] + h W_hh^T + bias)`. The output is the `h` of each step, `[T, B, H]`.
///
/// # Source
/// Elman, Finding Structure in Time (1990).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RnnScan {
    /// The function `f`.
    pub activation: RnnActivation,
    /// Whether the last step comes first.
    pub reverse: bool,
}

impl Operation for RnnScan {
    fn name(&self) -> &'static str {
        "rnn_scan"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [x, h0, w_hh, bias] = inputs else { unreachable!("four operands") };
        same_float(inputs)?;
        let [_, batch, size] = sizes(x, 1)?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[size, size])?;
        has_shape("bias", bias, &[size])?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([_, h0, w_hh, _], [hs]) = (context.inputs, context.outputs) else { unreachable!("four operands") };
        let op = RnnScanGrad { activation: self.activation, reverse: self.reverse };
        let grads = Value::record(op, &[&context.cotangent(), hs, w_hh]);
        let [dx, dh0, dbias] = <[Value; 3]>::try_from(grads).expect("three outputs");
        let dw_hh = context.needs[2].then(|| weight_gradient(&dx, &previous(hs, h0, self.reverse)));
        vec![Some(dx), Some(dh0), dw_hh, Some(dbias)]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [x, h0, w_hh, bias] = inputs else { unreachable!("four operands") };
        let length = x.shape()[0];
        let body = |carries: &[Value], xs: &[Value]| {
            let total = plus_bias(&xs[0].add(&by_transposed(&carries[0], w_hh)), bias);
            let h = match self.activation {
                RnnActivation::Tanh => total.tanh(),
                RnnActivation::Relu => total.max(&total.full_like(0.0)),
            };
            (vec![h.clone()], vec![h])
        };
        Some(Value::scan(std::slice::from_ref(h0), std::slice::from_ref(x), length, self.reverse, body).1)
    }
}

impl Value {
    /// The state after each step of a plain recurrent network on these inputs `[T, B, H]`; see [`RnnScan`].
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn rnn_scan(&self, h0: &Value, w_hh: &Value, bias: &Value, activation: RnnActivation, reverse: bool) -> Value {
        Value::record_one(RnnScan { activation, reverse }, &[self, h0, w_hh, bias])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |[steps, batch, size]: [usize; 3], activation: RnnActivation, reverse: bool| {
        // Positive for relu, away from its kink.
        let low = if activation == RnnActivation::Relu { 0.1 } else { -1.0 };
        let reals = |shape: &[usize]| Sample::uniform(shape, low, 1.0);
        let inputs = [reals(&[steps, batch, size]), reals(&[batch, size]), reals(&[size, size]), reals(&[size])];
        let build = move |x: &[Value]| vec![x[0].rnn_scan(&x[1], &x[2], &x[3], activation, reverse)];
        let name = format!("rnn_scan {activation:?} [{steps}, {batch}, {size}], reverse {reverse}");
        Case::new(name, inputs, build)
    };
    vec![
        case([4, 2, 3], RnnActivation::Tanh, false),
        case([3, 1, 5], RnnActivation::Relu, true),
        case([1, 3, 1], RnnActivation::Tanh, true),
        case([2, 9, 17], RnnActivation::Tanh, false).once(),
    ]
}
