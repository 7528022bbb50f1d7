//! W1: LeNet-5 with average pooling and tanh, stochastic gradient descent with momentum.

use gyrus::prelude::*;

use super::workload::{Workload, inference, labels, normal, sgd, training};

fn lenet() -> Sequential {
    let rng = &mut Rng::new(0);
    Sequential::new()
        .push((Conv2d::new(1, 6, 5, rng), AvgPool2d::new(2), Activation::Tanh))
        .push((Conv2d::new(6, 16, 5, rng), AvgPool2d::new(2), Activation::Tanh))
        .push((Conv2d::new(16, 120, 5, rng), Activation::Tanh, Flatten))
        .push((Linear::new(120, 84, rng), Activation::Tanh, Linear::new(84, 10, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(lenet(), sgd, normal([64, 1, 32, 32]), labels(64, 10))
}

pub fn infer() -> Box<dyn Workload> {
    inference(lenet(), normal([1, 1, 32, 32]))
}
