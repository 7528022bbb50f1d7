//! The plain recurrent network.

use super::{
    NOT_REAL, Operation, RnnScanGrad, Vjp, bias_gradient, by_transposed, has_shape, lengths_fit, lengths_sample,
    plus_bias,
};
use super::{recurrent_gradient, same_float, scan_rows, sizes, split_lengths};
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
        let (inputs, lengths) = split_lengths(inputs, |spec| spec);
        let [x, h0, w_hh, bias] = inputs else { return Err(NOT_REAL.into()) };
        same_float(inputs)?;
        let [_, batch, size] = sizes(x, 1)?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[size, size])?;
        has_shape("bias", bias, &[size])?;
        lengths_fit(lengths, batch)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (inputs, lengths) = split_lengths(context.inputs, Value::spec);
        let ([_, h0, w_hh, _], [hs]) = (inputs, context.outputs) else { unreachable!("four operands") };
        let op = RnnScanGrad { activation: self.activation, reverse: self.reverse };
        let dhs = context.cotangent();
        let operands: Vec<&Value> = [&dhs, hs, w_hh].into_iter().chain(lengths).collect();
        let grads = Value::record(op, &operands);
        let [dx, dh0] = <[Value; 2]>::try_from(grads).expect("two outputs");
        let dw_hh = context.needs[2].then(|| recurrent_gradient(&dx, hs, h0, self.reverse, lengths));
        let dbias = context.needs[3].then(|| bias_gradient(&dx));
        [Some(dx), Some(dh0), dw_hh, dbias].into_iter().chain(lengths.map(|_| None)).collect()
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (inputs, lengths) = split_lengths(inputs, Value::spec);
        let [x, h0, w_hh, bias] = inputs else { unreachable!("four operands") };
        let body = |carries: &[Value], xs: &[Value]| {
            let total = plus_bias(&xs[0].add(&by_transposed(&carries[0], w_hh)), bias);
            let h = match self.activation {
                RnnActivation::Tanh => total.tanh(),
                RnnActivation::Relu => total.max(&total.full_like(0.0)),
            };
            (vec![h.clone()], vec![h])
        };
        Some(scan_rows(std::slice::from_ref(h0), std::slice::from_ref(x), self.reverse, lengths, body).1)
    }
}

impl Value {
    /// The state after each step of a plain recurrent network on these inputs `[T, B, H]`, of sequences of these lengths
    /// `i64[B]`, or of all steps; see [`RnnScan`].
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn rnn_scan(
        &self,
        h0: &Value,
        w_hh: &Value,
        bias: &Value,
        lengths: Option<&Value>,
        activation: RnnActivation,
        reverse: bool,
    ) -> Value {
        let operands: Vec<&Value> = [self, h0, w_hh, bias].into_iter().chain(lengths).collect();
        Value::record_one(RnnScan { activation, reverse }, &operands)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |[steps, batch, size]: [usize; 3], activation: RnnActivation, reverse: bool, with_lengths: bool| {
        // Positive for relu, away from its kink.
        let low = if activation == RnnActivation::Relu { 0.1 } else { -1.0 };
        let reals = |shape: &[usize]| Sample::uniform(shape, low, 1.0);
        let mut inputs =
            vec![reals(&[steps, batch, size]), reals(&[batch, size]), reals(&[size, size]), reals(&[size])];
        inputs.extend(with_lengths.then(|| lengths_sample(steps, batch)));
        let build = move |x: &[Value]| vec![x[0].rnn_scan(&x[1], &x[2], &x[3], x.get(4), activation, reverse)];
        let name = format!("rnn_scan {activation:?} [{steps}, {batch}, {size}], reverse {reverse}");
        Case::new(format!("{name}, lengths {with_lengths}"), inputs, build)
    };
    vec![
        case([4, 2, 3], RnnActivation::Tanh, false, false),
        case([3, 1, 5], RnnActivation::Relu, true, false),
        case([1, 3, 1], RnnActivation::Tanh, true, false),
        case([2, 9, 17], RnnActivation::Tanh, false, false).once(),
        case([3, 31, 5], RnnActivation::Tanh, true, false).once(),
        case([3, 4, 2], RnnActivation::Tanh, false, true),
        case([3, 4, 2], RnnActivation::Tanh, true, true),
        case([4, 19, 5], RnnActivation::Relu, true, true).once(),
    ]
}
