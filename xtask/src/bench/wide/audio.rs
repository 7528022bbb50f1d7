//! X5: convolutions over one second of sound, as M5 of Dai et al. (2017), Adam.

use gyrus::nn::layers::MaxPool1d;
use gyrus::prelude::*;

use crate::bench::workload::{Workload, adam, inference, labels, normal, training};

fn block(from: usize, to: usize, size: usize, stride: usize, rng: &mut Rng) -> impl Layer + 'static {
    let convolution = Conv1d::builder(from, to, size).stride(stride).build(rng);
    (convolution, BatchNorm::new(to), Activation::Relu, MaxPool1d::new(4))
}

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    Sequential::new()
        .push(block(1, 64, 80, 4, rng))
        .push(block(64, 64, 3, 1, rng))
        .push(block(64, 128, 3, 1, rng))
        .push(block(128, 256, 3, 1, rng))
        .push((GlobalAvgPool, Linear::new(256, 35, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), adam, normal([8, 1, 16000]), labels(8, 35))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([8, 1, 16000]))
}
