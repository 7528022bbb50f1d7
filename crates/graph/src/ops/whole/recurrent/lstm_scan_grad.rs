//! The gradient of long short-term memory.

use super::{NOT_REAL, Operation, by_matrix, has_shape, lengths_fit, lengths_sample, logistic_slope, parts, previous};
use super::{same_float, scan_rows, sizes, split_lengths, tanh_slope};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// From the gradient `dhs [T, B, H]`, the `gates [T, B, 4H]` and `cs [T, B, H]` of [`super::LstmScan`],
/// `c0 [B, H]`, `w_hh [4H, H]` and, if there is one, the gradient `dcs [T, B, H]`, step by step against the
/// scan's direction
///
/// `dh = dhs[t] + dh`, `dc = dcs[t] + dc + dh o (1 - tanh(c)^2)`,
/// `di = dc g i (1 - i)`, `df = dc c' f (1 - f)`, `dg = dc i (1 - g^2)`, `do = dh tanh(c) o (1 - o)`,
/// `dh = [di, df, dg, do] W_hh`, `dc = dc f`
///
/// where `c'` is the `c` before the step. The outputs are `dgates_x [T, B, 4H] = [di, df, dg, do]`, and `dh0` and
/// `dc0 [B, H]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LstmScanGrad {
    /// As of [`super::LstmScan`]: whether its last step came first.
    pub reverse: bool,
}

impl Operation for LstmScanGrad {
    fn name(&self) -> &'static str {
        "lstm_scan_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let (inputs, lengths) = split_lengths(inputs, |spec| spec);
        let [dhs, gates, cs, c0, w_hh, dcs @ ..] = inputs else { return Err(NOT_REAL.into()) };
        same_float(inputs)?;
        let [steps, batch, size] = sizes(gates, 4)?;
        has_shape("dhs", dhs, &[steps, batch, size])?;
        has_shape("cs", cs, &[steps, batch, size])?;
        has_shape("c0", c0, &[batch, size])?;
        has_shape("w_hh", w_hh, &[4 * size, size])?;
        for dcs in dcs {
            has_shape("dcs", dcs, &[steps, batch, size])?;
        }
        lengths_fit(lengths, batch)?;
        Ok(vec![gates.clone(), c0.clone(), c0.clone()])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (inputs, lengths) = split_lengths(inputs, Value::spec);
        let [dhs, gates, cs, c0, w_hh, dcs @ ..] = inputs else { unreachable!("five or six operands") };
        let size = w_hh.shape()[1];
        let zero = c0.full_like(0.0);
        let mut xs = vec![dhs.clone(), gates.clone(), cs.clone(), previous(cs, c0, self.reverse, lengths)];
        xs.extend(dcs.first().cloned());
        let body = |carries: &[Value], xs: &[Value]| {
            let [i, f, g, o] = <[Value; 4]>::try_from(parts(&xs[1], size)).expect("four gates");
            let (y, before) = (xs[2].tanh(), &xs[3]);
            let dh = xs[0].add(&carries[0]);
            let mut dc = carries[1].add(&dh.mul(&o).mul(&tanh_slope(&y)));
            if let Some(dcs) = xs.get(4) {
                dc = dc.add(dcs);
            }
            let di = dc.mul(&g).mul(&logistic_slope(&i));
            let df = dc.mul(before).mul(&logistic_slope(&f));
            let dg = dc.mul(&i).mul(&tanh_slope(&g));
            let d_o = dh.mul(&y).mul(&logistic_slope(&o));
            let dgates = Value::concatenate(&[&di, &df, &dg, &d_o], 1);
            (vec![by_matrix(&dgates, w_hh), dc.mul(&f)], vec![dgates])
        };
        let (carries, mut ys) = scan_rows(&[zero.clone(), zero], &xs, !self.reverse, lengths, body);
        ys.extend(carries);
        Some(ys)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |[steps, batch, size]: [usize; 3], reverse: bool, with_dcs: bool, with_lengths: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
        let mut inputs = vec![
            reals(&[steps, batch, size]),
            Sample::uniform([steps, batch, 4 * size], 0.1, 0.9),
            reals(&[steps, batch, size]),
            reals(&[batch, size]),
            reals(&[4 * size, size]),
        ];
        inputs.extend(with_dcs.then(|| reals(&[steps, batch, size])));
        inputs.extend(with_lengths.then(|| lengths_sample(steps, batch)));
        let op = LstmScanGrad { reverse };
        let build = move |x: &[Value]| Value::record(op, &x.iter().collect::<Vec<_>>());
        let name = format!("lstm_scan_grad [{steps}, {batch}, {size}], reverse {reverse}, lengths {with_lengths}");
        Case::new(name, inputs, build)
    };
    vec![
        case([4, 2, 3], false, false, false),
        case([3, 1, 5], true, true, false),
        case([1, 3, 1], false, true, false),
        case([2, 9, 17], false, true, false).once(),
        case([3, 31, 5], true, true, false).once(),
        case([3, 4, 2], false, true, true),
        case([3, 4, 2], true, false, true),
        case([4, 19, 5], true, true, true).once(),
    ]
}
