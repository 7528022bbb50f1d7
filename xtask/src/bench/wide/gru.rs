//! X1: two layers of gated recurrent units, Adam; otherwise as W4.

use gyrus::prelude::*;

use crate::bench::lstm::PerStep;
use crate::bench::workload::{Workload, adam, inference, labels, normal, training};

fn model() -> PerStep<(Gru, Linear)> {
    let rng = &mut Rng::new(0);
    PerStep((Gru::builder(128, 256).num_layers(2).build(rng), Linear::new(256, 100, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), adam, normal([32, 64, 128]), labels(32 * 64, 100))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([32, 64, 128]))
}
