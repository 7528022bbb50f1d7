//! X7 to X9: sizes that fit no register and no block.

use gyrus::prelude::*;

use crate::bench::lstm::PerStep;
use crate::bench::workload::{Workload, adam, adam_w, inference, labels, normal, sgd, training};

fn mlp() -> (Linear, Activation, Linear) {
    let rng = &mut Rng::new(0);
    (Linear::new(1009, 509, rng), Activation::Relu, Linear::new(509, 13, rng))
}

pub fn train_mlp<const BATCH: usize>() -> Box<dyn Workload> {
    training(mlp(), adam, normal([BATCH, 1009]), labels(BATCH, 13))
}

pub fn infer_mlp<const BATCH: usize>() -> Box<dyn Workload> {
    inference(mlp(), normal([BATCH, 1009]))
}

fn convolutions() -> Sequential {
    let rng = &mut Rng::new(0);
    Sequential::new()
        .push((Conv2d::builder(17, 19, 5).padding(2).build(rng), Activation::Relu))
        .push((Conv2d::builder(19, 23, 3).stride(2).padding(1).build(rng), Activation::Relu))
        .push((Conv2d::builder(23, 31, 3).build(rng), Activation::Relu))
        .push((GlobalAvgPool, Linear::new(31, 13, rng)))
}

pub fn train_convolutions() -> Box<dyn Workload> {
    training(convolutions(), sgd, normal([5, 17, 37, 41]), labels(5, 13))
}

pub fn infer_convolutions() -> Box<dyn Workload> {
    inference(convolutions(), normal([5, 17, 37, 41]))
}

fn transformer() -> PerStep<Sequential> {
    let rng = &mut Rng::new(0);
    let layer = |rng: &mut Rng| TransformerEncoderLayer::new(99, 3, 391, rng).dropout(0.0);
    PerStep(Sequential::new().push(layer(rng)).push(layer(rng)).push(Linear::new(99, 101, rng)))
}

pub fn train_transformer() -> Box<dyn Workload> {
    training(transformer(), adam_w, normal([5, 61, 99]), labels(5 * 61, 101))
}

pub fn infer_transformer() -> Box<dyn Workload> {
    inference(transformer(), normal([5, 61, 99]))
}
