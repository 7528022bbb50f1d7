//! Long short-term memory.

use super::{LstmScanGrad, Operation, Vjp, by_transposed, has_shape, parts, plus_bias, previous, same_float, sizes};
use super::{vjp_by_decomposition, weight_gradient};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// From `gates_x [T, B, 4H] = x W_ih^T`, `h0` and `c0 [B, H]`, `w_hh [4H, H]` and `bias [4H]`, step by step
///
/// `i, f, g, o = logistic, logistic, tanh, logistic of gates_x[t] + h W_hh^T + bias`,
/// `c = f c + i g`, `h = o tanh(c)`
///
/// with the gates side by side in PyTorch's order. The outputs are the `h` and `c` of each step,
/// `[T, B, H]`, and the gates after their functions, `[T, B, 4H]`.
///
/// # Source
/// Hochreiter, Schmidhuber, Long Short-Term Memory (1997); the forget gate of Gers et al. (2000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LstmScan {
    /// Whether the last step comes first.
    pub reverse: bool,
}

impl Operation for LstmScan {
    fn name(&self) -> &'static str {
        "lstm_scan"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [gates_x, h0, c0, w_hh, bias] = inputs else { unreachable!("five operands") };
        let dtype = same_float(inputs)?;
        let [steps, batch, size] = sizes(gates_x, 4)?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("c0", c0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[4 * size, size])?;
        has_shape("bias", bias, &[4 * size])?;
        let states = Spec::new([steps, batch, size], dtype);
        Ok(vec![states.clone(), states, gates_x.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([_, h0, c0, w_hh, _], [hs, cs, gates]) = (context.inputs, context.outputs) else {
            unreachable!("five operands")
        };
        // Only a second derivative asks for the gates' gradient.
        if context.cotangents[2].is_some() {
            return vjp_by_decomposition(self, context);
        }
        let dhs = context.cotangent_or_zeros(0);
        let operands: Vec<&Value> = [&dhs, gates, cs, c0, w_hh].into_iter().chain(&context.cotangents[1]).collect();
        let grads = Value::record(LstmScanGrad { reverse: self.reverse }, &operands);
        let [dgates, dh0, dc0, dbias] = <[Value; 4]>::try_from(grads).expect("four outputs");
        let dw_hh = context.needs[3].then(|| weight_gradient(&dgates, &previous(hs, h0, self.reverse)));
        vec![Some(dgates), Some(dh0), Some(dc0), dw_hh, Some(dbias)]
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let [gates_x, h0, c0, w_hh, bias] = inputs else { unreachable!("five operands") };
        let size = w_hh.shape()[1];
        let init = [h0.clone(), c0.clone()];
        let length = gates_x.shape()[0];
        let (_, ys) = Value::scan(&init, std::slice::from_ref(gates_x), length, self.reverse, |carries, xs| {
            let sums = plus_bias(&xs[0].add(&by_transposed(&carries[0], w_hh)), bias);
            let sums = <[Value; 4]>::try_from(parts(&sums, size)).expect("four gates");
            let [i, f, g, o] = [sums[0].logistic(), sums[1].logistic(), sums[2].tanh(), sums[3].logistic()];
            let c = f.mul(&carries[1]).add(&i.mul(&g));
            let h = o.mul(&c.tanh());
            let gates = Value::concatenate(&[&i, &f, &g, &o], 1);
            (vec![h.clone(), c.clone()], vec![h, c, gates])
        });
        Some(ys)
    }
}

impl Value {
    /// The states `h` and `c` after each step of a long short-term memory on these gates
    /// `[T, B, 4H] = x W_ih^T`; see [`LstmScan`].
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn lstm_scan(&self, h0: &Value, c0: &Value, w_hh: &Value, bias: &Value, reverse: bool) -> (Value, Value) {
        let mut outputs = Value::record(LstmScan { reverse }, &[self, h0, c0, w_hh, bias]);
        (outputs.swap_remove(0), outputs.swap_remove(1))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |steps: usize, batch: usize, size: usize, reverse: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
        let (state, gates) = ([batch, size], 4 * size);
        let inputs =
            [reals(&[steps, batch, gates]), reals(&state), reals(&state), reals(&[gates, size]), reals(&[gates])];
        let build = move |x: &[Value]| {
            let (hs, cs) = x[0].lstm_scan(&x[1], &x[2], &x[3], &x[4], reverse);
            vec![hs, cs]
        };
        let name = format!("lstm_scan of {steps} steps, batch {batch}, size {size}, reverse {reverse}");
        Case::new(name, inputs, build)
    };
    vec![case(4, 2, 3, false), case(3, 1, 5, true), case(1, 3, 1, false), case(2, 9, 17, false).once()]
}
