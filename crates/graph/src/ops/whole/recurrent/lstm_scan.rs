//! Long short-term memory.

use super::{
    LstmScanGrad, NOT_REAL, Operation, Vjp, bias_gradient, by_transposed, has_shape, lengths_fit, lengths_sample, parts,
};
use super::{plus_bias, recurrent_gradient, same_float, scan_rows, sizes, split_lengths, vjp_by_decomposition};
use crate::conformance::{Case, Sample};
use crate::{Scalar, Spec, Value};

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
        let (inputs, lengths) = split_lengths(inputs, |spec| spec);
        let [gates_x, h0, c0, w_hh, bias] = inputs else { return Err(NOT_REAL.into()) };
        let dtype = same_float(inputs)?;
        let [steps, batch, size] = sizes(gates_x, 4)?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("c0", c0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[4 * size, size])?;
        has_shape("bias", bias, &[4 * size])?;
        lengths_fit(lengths, batch)?;
        let states = Spec::new([steps, batch, size], dtype);
        Ok(vec![states.clone(), states, gates_x.clone()])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let (inputs, lengths) = split_lengths(context.inputs, Value::spec);
        let ([_, h0, c0, w_hh, _], [hs, cs, gates]) = (inputs, context.outputs) else { unreachable!("five operands") };
        // Only a second derivative asks for the gates' gradient.
        if context.cotangents[2].is_some() {
            return vjp_by_decomposition(self, context);
        }
        let dhs = context.cotangent_or_zeros(0);
        let operands = [&dhs, gates, cs, c0, w_hh].into_iter().chain(&context.cotangents[1]).chain(lengths);
        let operands: Vec<&Value> = operands.collect();
        let grads = Value::record(LstmScanGrad { reverse: self.reverse }, &operands);
        let [dgates, dh0, dc0] = <[Value; 3]>::try_from(grads).expect("three outputs");
        let dw_hh = context.needs[3].then(|| recurrent_gradient(&dgates, hs, h0, self.reverse, lengths));
        let (dbias, of_lengths) = (context.needs[4].then(|| bias_gradient(&dgates)), lengths.map(|_| None));
        [Some(dgates), Some(dh0), Some(dc0), dw_hh, dbias].into_iter().chain(of_lengths).collect()
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (inputs, lengths) = split_lengths(inputs, Value::spec);
        let [gates_x, h0, c0, w_hh, bias] = inputs else { unreachable!("five operands") };
        let size = w_hh.shape()[1];
        let init = [h0.clone(), c0.clone()];
        let (_, ys) = scan_rows(&init, std::slice::from_ref(gates_x), self.reverse, lengths, |carries, xs| {
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
    /// `[T, B, 4H] = x W_ih^T`, of sequences of these lengths `i64[B]`, or of all steps; see [`LstmScan`].
    ///
    /// # Panics
    /// If the shapes do not fit, or element types differ.
    #[track_caller]
    pub fn lstm_scan(
        &self,
        h0: &Value,
        c0: &Value,
        w_hh: &Value,
        bias: &Value,
        lengths: Option<&Value>,
        reverse: bool,
    ) -> (Value, Value) {
        let operands: Vec<&Value> = [self, h0, c0, w_hh, bias].into_iter().chain(lengths).collect();
        let mut outputs = Value::record(LstmScan { reverse }, &operands);
        (outputs.swap_remove(0), outputs.swap_remove(1))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |steps: usize, batch: usize, size: usize, reverse: bool, with_lengths: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
        let (state, gates) = ([batch, size], 4 * size);
        let mut inputs =
            vec![reals(&[steps, batch, gates]), reals(&state), reals(&state), reals(&[gates, size]), reals(&[gates])];
        inputs.extend(with_lengths.then(|| lengths_sample(steps, batch)));
        let build = move |x: &[Value]| {
            let (hs, cs) = x[0].lstm_scan(&x[1], &x[2], &x[3], &x[4], x.get(5), reverse);
            vec![hs, cs]
        };
        let name = format!("lstm_scan of {steps} steps, batch {batch}, size {size}, reverse {reverse}");
        let name = format!("{name}, lengths {with_lengths}");
        Case::new(name, inputs, build)
    };
    let from_zeros = |reverse: bool| {
        let inputs =
            [vec![4, 2, 12], vec![12, 3], vec![12]].map(|shape: Vec<usize>| Sample::uniform(&shape[..], -1.0, 1.0));
        let build = move |x: &[Value]| {
            let zeros = Value::constant(Scalar::from_f64(x[0].dtype(), 0.0), [2, 3]);
            vec![x[0].lstm_scan(&zeros, &zeros, &x[1], &x[2], None, reverse).0]
        };
        Case::new(format!("lstm_scan from zeros, reverse {reverse}"), inputs.to_vec(), build)
    };
    vec![
        from_zeros(false),
        from_zeros(true),
        case(4, 2, 3, false, false),
        case(3, 1, 5, true, false),
        case(1, 3, 1, false, false),
        case(2, 9, 17, false, false).once(),
        case(3, 31, 5, false, false).once(),
        case(3, 4, 2, false, true),
        case(3, 4, 2, true, true),
        case(4, 19, 5, true, true).once(),
    ]
}
