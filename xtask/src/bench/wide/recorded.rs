//! X19: W5 without being compiled.

use gyrus::prelude::*;

use crate::bench::transformer::transformer;
use crate::bench::workload::{Workload, labels, normal, recorded_inference, recorded_training};

pub fn train() -> Box<dyn Workload> {
    let model = transformer();
    let optimizer = AdamW::new(&model, AdamWConfig::new(1e-3));
    recorded_training(model, optimizer, normal([16, 128, 256]), labels(16 * 128, 1000))
}

pub fn infer() -> Box<dyn Workload> {
    recorded_inference(transformer(), normal([16, 128, 256]))
}
