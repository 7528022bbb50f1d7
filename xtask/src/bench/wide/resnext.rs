//! X13: bottlenecks of 32 groups, as in ResNeXt of Xie et al. (2016), on 56 by 56, stochastic gradient descent.

use gyrus::prelude::*;

use super::normalized::convolution;
use crate::bench::workload::{Workload, inference, labels, normal, sgd, training};

fn block(from: usize, width: usize, to: usize, stride: usize, rng: &mut Rng) -> impl Layer + 'static {
    let body = (
        convolution([from, width], 1, 1, 1, rng),
        Activation::Relu,
        convolution([width, width], 3, stride, 32, rng),
        Activation::Relu,
        convolution([width, to], 1, 1, 1, rng),
    );
    let residual = Residual::new(body);
    let is_same = from == to && stride == 1;
    let residual = if is_same { residual } else { residual.shortcut(convolution([from, to], 1, stride, 1, rng)) };
    (residual, Activation::Relu)
}

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    Sequential::new()
        .push(block(64, 128, 256, 1, rng))
        .push(block(256, 128, 256, 1, rng))
        .push(block(256, 256, 512, 2, rng))
        .push(block(512, 256, 512, 1, rng))
        .push((GlobalAvgPool, Linear::new(512, 100, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), sgd, normal([4, 64, 56, 56]), labels(4, 100))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([4, 64, 56, 56]))
}
