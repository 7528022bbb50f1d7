//! X10: the mean of embedded words, classified: few rows of a large table matter in each step.

use gyrus::prelude::*;

use crate::bench::workload::{Workload, adam, inference, labels, training};

const NUM_WORDS: usize = 50_000;

#[derive(Module)]
struct BagOfWords {
    embedding: Embedding,
    output: Linear,
}

impl Layer for BagOfWords {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.output.forward(&self.embedding.forward(input, context).mean(1), context)
    }
}

fn model() -> BagOfWords {
    let rng = &mut Rng::new(0);
    BagOfWords { embedding: Embedding::new(NUM_WORDS, 128, rng), output: Linear::new(128, 4, rng) }
}

/// 64 texts of 64 words.
fn words() -> Tensor {
    let words: Vec<i64> = (0..64 * 64).map(|place| (place * 7919 % NUM_WORDS) as i64).collect();
    Tensor::from_slice([64, 64], &words)
}

pub fn train_by_sgd() -> Box<dyn Workload> {
    training(model(), |model| Sgd::new(model, SgdConfig::new(0.1)), words(), labels(64, 4))
}

pub fn train_by_adam() -> Box<dyn Workload> {
    training(model(), adam, words(), labels(64, 4))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), words())
}
