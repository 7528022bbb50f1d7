//! The gradient of the plain recurrent network.

use super::{
    NOT_REAL, Operation, RnnActivation, by_matrix, has_shape, lengths_fit, lengths_sample, same_float, scan_rows,
};
use super::{sizes, split_lengths, tanh_slope};
use crate::conformance::{Case, Sample};
use crate::{Spec, Value};

/// From the gradient `dhs [T, B, H]`, the states `hs [T, B, H]` of [`super::RnnScan`] and `w_hh [H, H]`, step
/// by step against the scan's direction `dx[t] = (dhs[t] + dh) f'`, `dh = dx[t] W_hh`, where `f'` is
/// `1 - h^2`, or for relu whether `h > 0`. The outputs are `dx [T, B, H]` and `dh0 [B, H]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RnnScanGrad {
    /// As of [`super::RnnScan`].
    pub activation: RnnActivation,
    /// As of [`super::RnnScan`]: whether its last step came first.
    pub reverse: bool,
}

impl Operation for RnnScanGrad {
    fn name(&self) -> &'static str {
        "rnn_scan_grad"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let (inputs, lengths) = split_lengths(inputs, |spec| spec);
        let [dhs, hs, w_hh] = inputs else { return Err(NOT_REAL.into()) };
        same_float(inputs)?;
        let [_, batch, size] = sizes(hs, 1)?;
        has_shape("dhs", dhs, &hs.shape)?;
        has_shape("w_hh", w_hh, &[size, size])?;
        lengths_fit(lengths, batch)?;
        Ok(vec![hs.clone(), Spec::new([batch, size], hs.dtype)])
    }

    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (inputs, lengths) = split_lengths(inputs, Value::spec);
        let [dhs, hs, w_hh] = inputs else { unreachable!("three operands") };
        let [_, batch, size] = hs.shape()[..] else { unreachable!("rank 3") };
        let body = |carries: &[Value], xs: &[Value]| {
            let dh = xs[0].add(&carries[0]);
            let dx = match self.activation {
                RnnActivation::Tanh => dh.mul(&tanh_slope(&xs[1])),
                RnnActivation::Relu => xs[1].gt(&xs[1].full_like(0.0)).select(&dh, &dh.full_like(0.0)),
            };
            (vec![by_matrix(&dx, w_hh)], vec![dx])
        };
        let init = hs.zero().broadcast([batch, size], &[]);
        let (carries, mut ys) = scan_rows(&[init], &[dhs.clone(), hs.clone()], !self.reverse, lengths, body);
        ys.extend(carries);
        Some(ys)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |[steps, batch, size]: [usize; 3], activation: RnnActivation, reverse: bool, with_lengths: bool| {
        let reals = |shape: &[usize]| Sample::uniform(shape, 0.1, 0.9);
        let mut inputs = vec![reals(&[steps, batch, size]), reals(&[steps, batch, size]), reals(&[size, size])];
        inputs.extend(with_lengths.then(|| lengths_sample(steps, batch)));
        let op = RnnScanGrad { activation, reverse };
        let build = move |x: &[Value]| Value::record(op, &x.iter().collect::<Vec<_>>());
        let name = format!("rnn_scan_grad {activation:?} [{steps}, {batch}, {size}], reverse {reverse}");
        Case::new(format!("{name}, lengths {with_lengths}"), inputs, build)
    };
    vec![
        case([4, 2, 3], RnnActivation::Tanh, false, false),
        case([3, 1, 5], RnnActivation::Relu, true, false),
        case([2, 9, 17], RnnActivation::Tanh, false, false).once(),
        case([3, 31, 5], RnnActivation::Relu, false, false).once(),
        case([3, 4, 2], RnnActivation::Tanh, false, true),
        case([3, 4, 2], RnnActivation::Tanh, true, true),
        case([4, 19, 5], RnnActivation::Relu, true, true).once(),
    ]
}
