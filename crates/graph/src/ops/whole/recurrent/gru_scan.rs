//! Gated recurrent unit.

use super::{GruScanGrad, Operation, Vjp, by_transposed, has_shape, part, parts, previous, same_float, sizes};
use super::{sum, vjp_by_decomposition, weight_gradient};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// From `gates_x [T, B, 3H] = x W_ih^T + b_ih + [b_hr, b_hz, 0]`, `h0 [B, H]`, `w_hh [3H, H]` and
/// `b_hn [H]`, step by step, with `x` the step's gates and `W` the weights, side by side in PyTorch's order,
///
/// `r = logistic(x_r + h W_r^T)`, `z = logistic(x_z + h W_z^T)`, `q = h W_n^T + b_hn`,
/// `n = tanh(x_n + r q)`, `h = (1 - z) n + z h`.
///
/// The outputs are the `h` of each step, `[T, B, H]`, and `[r, z, n, q]`, `[T, B, 4H]`.
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
        let [gates_x, h0, w_hh, b_hn] = inputs else { unreachable!("four operands") };
        let dtype = same_float(inputs)?;
        let [steps, batch, size] = sizes(gates_x, 3)?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[3 * size, size])?;
        has_shape("b_hn", b_hn, &[size])?;
        Ok(vec![Spec::new([steps, batch, size], dtype), Spec::new([steps, batch, 4 * size], dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([_, h0, w_hh, _], [hs, gates]) = (context.inputs, context.outputs) else { unreachable!("four operands") };
        // Only a second derivative asks for the gates' gradient.
        if context.cotangents[1].is_some() {
            return vjp_by_decomposition(self, context);
        }
        let dhs = context.cotangent_or_zeros(0);
        let grads = Value::record(GruScanGrad { reverse: self.reverse }, &[&dhs, gates, hs, h0, w_hh]);
        let [dgates, dq, dh0] = <[Value; 3]>::try_from(grads).expect("three outputs");
        let dw_hh = context.needs[2].then(|| {
            let (size, before) = (w_hh.shape()[1], previous(hs, h0, self.reverse));
            let reset_and_update = weight_gradient(&part(&dgates, 0, 2 * size), &before);
            Value::concatenate(&[&reset_and_update, &weight_gradient(&dq, &before)], 0)
        });
        let db_hn = sum(&dq, &[0, 1]);
        vec![Some(dgates), Some(dh0), dw_hh, Some(db_hn)]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [gates_x, h0, w_hh, b_hn] = inputs else { unreachable!("four operands") };
        let size = w_hh.shape()[1];
        let length = gates_x.shape()[0];
        let body = |carries: &[Value], xs: &[Value]| {
            let h = &carries[0];
            let [x_r, x_z, x_n] = <[Value; 3]>::try_from(parts(&xs[0], size)).expect("three gates");
            let [h_r, h_z, h_n] = <[Value; 3]>::try_from(parts(&by_transposed(h, w_hh), size)).expect("three gates");
            let (r, z) = (x_r.add(&h_r).logistic(), x_z.add(&h_z).logistic());
            let q = h_n.add(&b_hn.broadcast(h.shape(), &[1]));
            let n = x_n.add(&r.mul(&q)).tanh();
            let h = z.full_like(1.0).sub(&z).mul(&n).add(&z.mul(h));
            (vec![h.clone()], vec![h, Value::concatenate(&[&r, &z, &n, &q], 1)])
        };
        let (h0, gates_x) = (std::slice::from_ref(h0), std::slice::from_ref(gates_x));
        Some(Value::scan(h0, gates_x, length, self.reverse, body).1)
    }
}

impl Value {
    /// The state after each step of a gated recurrent unit on these gates
    /// `[T, B, 3H] = x W_ih^T + b_ih + [b_hr, b_hz, 0]`; see [`GruScan`].
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn gru_scan(&self, h0: &Value, w_hh: &Value, b_hn: &Value, reverse: bool) -> Value {
        Value::record(GruScan { reverse }, &[self, h0, w_hh, b_hn]).swap_remove(0)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |steps: usize, batch: usize, size: usize, reverse: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
        let inputs =
            [reals(&[steps, batch, 3 * size]), reals(&[batch, size]), reals(&[3 * size, size]), reals(&[size])];
        let build = move |x: &[Value]| vec![x[0].gru_scan(&x[1], &x[2], &x[3], reverse)];
        Case::new(format!("gru_scan of {steps} steps, batch {batch}, size {size}, reverse {reverse}"), inputs, build)
    };
    vec![case(4, 2, 3, false), case(3, 1, 5, true), case(1, 3, 1, false), case(2, 9, 17, false).once()]
}
