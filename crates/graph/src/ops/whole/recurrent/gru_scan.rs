//! Gated recurrent unit.

use super::{
    GruScanGrad, NOT_REAL, Operation, Vjp, bias_gradient, by_transposed, has_shape, lengths_fit, lengths_sample, part,
    parts,
};
use super::{plus_bias, recurrent_gradient, same_float, scan_rows, sizes, split_lengths, vjp_by_decomposition};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// From `gates_x [T, B, 3H] = x W_ih^T`, `h0 [B, H]`, `w_hh [3H, H]` and `bias [4H]`, step by step, with `x` the
/// step's gates, `W` the weights and `b` the biases, side by side in PyTorch's order,
///
/// `r = logistic(x_r + h W_r^T + b_r)`, `z = logistic(x_z + h W_z^T + b_z)`, `q = h W_n^T + b_q`,
/// `n = tanh(x_n + b_n + r q)`, `h = (1 - z) n + z h`
///
/// where `b = [b_r, b_z, b_n, b_q]`. The outputs are the `h` of each step, `[T, B, H]`, its `[r, z, n]`,
/// `[T, B, 3H]`, and its `q`, `[T, B, H]`.
///
/// # Source
/// Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014); as PyTorch and cuDNN, the
/// reset gate acts after the product, and `z` keeps the old state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GruScan {
    /// Whether the last step comes first.
    pub reverse: bool,
}

impl Operation for GruScan {
    fn name(&self) -> &'static str {
        "gru_scan"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let (inputs, lengths) = split_lengths(inputs, |spec| spec);
        let [gates_x, h0, w_hh, bias] = inputs else { return Err(NOT_REAL.into()) };
        let dtype = same_float(inputs)?;
        let [steps, batch, size] = sizes(gates_x, 3)?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[3 * size, size])?;
        has_shape("bias", bias, &[4 * size])?;
        lengths_fit(lengths, batch)?;
        let states = Spec::new([steps, batch, size], dtype);
        Ok(vec![states.clone(), gates_x.clone(), states])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (inputs, lengths) = split_lengths(context.inputs, Value::spec);
        let ([_, h0, w_hh, _], [hs, gates, q]) = (inputs, context.outputs) else { unreachable!("four operands") };
        // Only a second derivative asks for the gradient of the gates.
        if context.cotangents[1..].iter().any(Option::is_some) {
            return vjp_by_decomposition(self, context);
        }
        let dhs = context.cotangent_or_zeros(0);
        let operands: Vec<&Value> = [&dhs, gates, q, hs, h0, w_hh].into_iter().chain(lengths).collect();
        let grads = Value::record(GruScanGrad { reverse: self.reverse }, &operands);
        let [dgates, dq, dh0] = <[Value; 3]>::try_from(grads).expect("three outputs");
        let dw_hh = context.needs[2].then(|| {
            let size = w_hh.shape()[1];
            let gradient = |d: &Value| recurrent_gradient(d, hs, h0, self.reverse, lengths);
            let reset_and_update = gradient(&part(&dgates, 0, 2 * size));
            Value::concatenate(&[&reset_and_update, &gradient(&dq)], 0)
        });
        let dbias = context.needs[3].then(|| Value::concatenate(&[&bias_gradient(&dgates), &bias_gradient(&dq)], 0));
        [Some(dgates), Some(dh0), dw_hh, dbias].into_iter().chain(lengths.map(|_| None)).collect()
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (inputs, lengths) = split_lengths(inputs, Value::spec);
        let [gates_x, h0, w_hh, bias] = inputs else { unreachable!("four operands") };
        let size = w_hh.shape()[1];
        let biases = [(0, 3), (3, 4)].map(|(start, limit)| part(bias, start * size, limit * size));
        let body = |carries: &[Value], xs: &[Value]| {
            let h = &carries[0];
            let x = parts(&plus_bias(&xs[0], &biases[0]), size);
            let [h_r, h_z, h_n] = <[Value; 3]>::try_from(parts(&by_transposed(h, w_hh), size)).expect("three gates");
            let (r, z) = (x[0].add(&h_r).logistic(), x[1].add(&h_z).logistic());
            let q = plus_bias(&h_n, &biases[1]);
            let n = x[2].add(&r.mul(&q)).tanh();
            let h = z.full_like(1.0).sub(&z).mul(&n).add(&z.mul(h));
            (vec![h.clone()], vec![h, Value::concatenate(&[&r, &z, &n], 1), q])
        };
        let (h0, gates_x) = (std::slice::from_ref(h0), std::slice::from_ref(gates_x));
        Some(scan_rows(h0, gates_x, self.reverse, lengths, body).1)
    }
}

impl Value {
    /// The state after each step of a gated recurrent unit on these gates `[T, B, 3H] = x W_ih^T`, of sequences of these
    /// lengths `i64[B]`, or of all steps; see [`GruScan`].
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn gru_scan(&self, h0: &Value, w_hh: &Value, bias: &Value, lengths: Option<&Value>, reverse: bool) -> Value {
        let operands: Vec<&Value> = [self, h0, w_hh, bias].into_iter().chain(lengths).collect();
        Value::record(GruScan { reverse }, &operands).swap_remove(0)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |steps: usize, batch: usize, size: usize, reverse: bool, with_lengths: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
        let mut inputs =
            vec![reals(&[steps, batch, 3 * size]), reals(&[batch, size]), reals(&[3 * size, size]), reals(&[4 * size])];
        inputs.extend(with_lengths.then(|| lengths_sample(steps, batch)));
        let build = move |x: &[Value]| vec![x[0].gru_scan(&x[1], &x[2], &x[3], x.get(4), reverse)];
        let name = format!("gru_scan of {steps} steps, batch {batch}, size {size}, reverse {reverse}");
        Case::new(format!("{name}, lengths {with_lengths}"), inputs, build)
    };
    vec![
        case(4, 2, 3, false, false),
        case(3, 1, 5, true, false),
        case(1, 3, 1, false, false),
        case(2, 9, 17, false, false).once(),
        case(3, 31, 5, true, false).once(),
        case(3, 4, 2, false, true),
        case(3, 4, 2, true, true),
        case(4, 19, 5, true, true).once(),
    ]
}
