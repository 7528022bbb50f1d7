//! X6: convolutions over volumes, stochastic gradient descent.

use gyrus::prelude::*;

use crate::bench::workload::{Workload, inference, labels, normal, sgd, training};

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    let mut convolution = |from, to, stride| {
        (Conv3d::builder(from, to, 3).stride(stride).padding(1).build(rng), BatchNorm::new(to), Activation::Relu)
    };
    Sequential::new()
        .push(convolution(8, 16, 1))
        .push(convolution(16, 32, 2))
        .push(convolution(32, 32, 1))
        .push((GlobalAvgPool, Linear::new(32, 10, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), sgd, normal([2, 8, 16, 32, 32]), labels(2, 10))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([2, 8, 16, 32, 32]))
}
