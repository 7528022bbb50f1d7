//! W5: a transformer's encoder, AdamW.

use gyrus::prelude::*;

use super::lstm::PerStep;
use super::workload::{Workload, adam_w, inference, labels, normal, training};

pub fn transformer() -> PerStep<Sequential> {
    let rng = &mut Rng::new(0);
    let mut model = Sequential::new();
    for _ in 0..4 {
        model = model.push(TransformerEncoderLayer::new(256, 4, 1024, rng).dropout(0.0));
    }
    PerStep(model.push(Linear::new(256, 1000, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(transformer(), adam_w, normal([16, 128, 256]), labels(16 * 128, 1000))
}

/// As [`train`], but what a layer computes is computed again for its gradient.
pub fn train_by_remat() -> Box<dyn Workload> {
    let rng = &mut Rng::new(0);
    let mut model = Sequential::new();
    for _ in 0..4 {
        model = model.push(Remat(TransformerEncoderLayer::new(256, 4, 1024, rng).dropout(0.0)));
    }
    training(PerStep(model.push(Linear::new(256, 1000, rng))), adam_w, normal([16, 128, 256]), labels(16 * 128, 1000))
}

pub fn infer() -> Box<dyn Workload> {
    inference(transformer(), normal([16, 128, 256]))
}
