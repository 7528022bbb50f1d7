//! X2: convolutions of each channel by itself, then across channels, as in MobileNet, stochastic gradient descent.

use gyrus::prelude::*;

use super::normalized::convolution;
use crate::bench::workload::{Workload, inference, labels, normal, sgd, training};

fn block(from: usize, to: usize, stride: usize, rng: &mut Rng) -> impl Layer + 'static {
    let (by_channel, across) = (convolution([from; 2], 3, stride, from, rng), convolution([from, to], 1, 1, 1, rng));
    (by_channel, Activation::Relu, across, Activation::Relu)
}

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    let mut model = Sequential::new().push((convolution([3, 32], 3, 2, 1, rng), Activation::Relu));
    for (from, to, stride) in
        [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
    {
        model = model.push(block(from, to, stride, rng));
    }
    model.push(GlobalAvgPool).push(Linear::new(512, 100, rng))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), sgd, normal([8, 3, 96, 96]), labels(8, 100))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([1, 3, 96, 96]))
}
