//! The gradient of the gated recurrent unit.

use super::{NOT_REAL, Operation, by_matrix, has_shape, lengths_fit, lengths_sample, logistic_slope, parts, previous};
use super::{same_float, scan_rows, sizes, split_lengths, tanh_slope};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// From the gradient `dhs [T, B, H]`, the gates `[r, z, n] [T, B, 3H]`, `q` and states `hs [T, B, H]` of
/// [`super::GruScan`], `h0 [B, H]` and `w_hh [3H, H]`, step by step against the scan's direction
///
/// `dh = dhs[t] + dh`, `dn = dh (1 - z) (1 - n^2)`, `dz = dh (h' - n) z (1 - z)`,
/// `dr = dn q r (1 - r)`, `dq = dn r`, `dh = dh z + [dr, dz, dq] W_hh`
///
/// where `h'` is the state before the step. The outputs are `dgates_x [T, B, 3H] = [dr, dz, dn]`,
/// `dq [T, B, H]` and `dh0 [B, H]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GruScanGrad {
    /// As of [`super::GruScan`]: whether its last step came first.
    pub reverse: bool,
}

impl Operation for GruScanGrad {
    fn name(&self) -> &'static str {
        "gru_scan_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let (inputs, lengths) = split_lengths(inputs, |spec| spec);
        let [dhs, gates, q, hs, h0, w_hh] = inputs else { return Err(NOT_REAL.into()) };
        same_float(inputs)?;
        let [steps, batch, size] = sizes(gates, 3)?;
        has_shape("dhs", dhs, &[steps, batch, size])?;
        has_shape("q", q, &[steps, batch, size])?;
        has_shape("hs", hs, &[steps, batch, size])?;
        has_shape("h0", h0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[3 * size, size])?;
        lengths_fit(lengths, batch)?;
        Ok(vec![gates.clone(), q.clone(), h0.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (inputs, lengths) = split_lengths(inputs, Value::spec);
        let [dhs, gates, q, hs, h0, w_hh] = inputs else { unreachable!("six operands") };
        let size = w_hh.shape()[1];
        let xs = [dhs.clone(), gates.clone(), q.clone(), previous(hs, h0, self.reverse, lengths)];
        let body = |carries: &[Value], xs: &[Value]| {
            let [r, z, n] = <[Value; 3]>::try_from(parts(&xs[1], size)).expect("three gates");
            let dh = xs[0].add(&carries[0]);
            let dn = dh.mul(&z.full_like(1.0).sub(&z)).mul(&tanh_slope(&n));
            let dz = dh.mul(&xs[3].sub(&n)).mul(&logistic_slope(&z));
            let dr = dn.mul(&xs[2]).mul(&logistic_slope(&r));
            let dq = dn.mul(&r);
            let before = dh.mul(&z).add(&by_matrix(&Value::concatenate(&[&dr, &dz, &dq], 1), w_hh));
            (vec![before], vec![Value::concatenate(&[&dr, &dz, &dn], 1), dq])
        };
        let (carries, mut ys) = scan_rows(&[h0.full_like(0.0)], &xs, !self.reverse, lengths, body);
        ys.extend(carries);
        Some(ys)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |[steps, batch, size]: [usize; 3], reverse: bool, with_lengths: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
        let mut inputs = vec![
            reals(&[steps, batch, size]),
            Sample::uniform([steps, batch, 3 * size], 0.1, 0.9),
            reals(&[steps, batch, size]),
            reals(&[steps, batch, size]),
            reals(&[batch, size]),
            reals(&[3 * size, size]),
        ];
        inputs.extend(with_lengths.then(|| lengths_sample(steps, batch)));
        let op = GruScanGrad { reverse };
        let build = move |x: &[Value]| Value::record(op, &x.iter().collect::<Vec<_>>());
        let name = format!("gru_scan_grad [{steps}, {batch}, {size}], reverse {reverse}, lengths {with_lengths}");
        Case::new(name, inputs, build)
    };
    vec![
        case([4, 2, 3], false, false),
        case([3, 1, 5], true, false),
        case([1, 3, 1], false, false),
        case([2, 9, 17], false, false).once(),
        case([3, 31, 5], false, false).once(),
        case([3, 4, 2], false, true),
        case([3, 4, 2], true, true),
        case([4, 19, 5], true, true).once(),
    ]
}
