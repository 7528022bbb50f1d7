//! X19: W5 without being compiled.

use crate::bench::transformer::transformer;
use crate::bench::workload::{Workload, adam_w, labels, normal, recorded_inference, recorded_training};

pub fn train() -> Box<dyn Workload> {
    recorded_training(transformer(), adam_w, normal([16, 128, 256]), labels(16 * 128, 1000))
}

pub fn infer() -> Box<dyn Workload> {
    recorded_inference(transformer(), normal([16, 128, 256]))
}
