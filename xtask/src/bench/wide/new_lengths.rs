//! X18: W5's encoder on batches of sentences whose length is new each time.

use crate::bench::transformer::transformer;
use crate::bench::workload::{Workload, adam_w, inference_on, labels, normal, training_on};

const BATCH: usize = 2;

/// More lengths than plans are kept, in no order, so that one is needed anew for each.
fn lengths() -> impl Iterator<Item = usize> {
    let count = 300;
    (0..count).map(move |index| 20 + index * 131 % count)
}

pub fn train() -> Box<dyn Workload> {
    let batch = |length| (normal([BATCH, length, 256]), labels(BATCH * length, 1000));
    training_on(transformer(), adam_w, lengths().map(batch).collect())
}

pub fn infer() -> Box<dyn Workload> {
    inference_on(transformer(), lengths().map(|length| normal([BATCH, length, 256])).collect())
}
