//! X12: W4 on sequences of different lengths.

use gyrus::prelude::*;

use crate::bench::workload::{Workload, adam, labels, normal, training};

const NUM_STEPS: usize = 64;

/// Two layers of long short-term memory, and the logits of all steps.
#[derive(Module)]
struct Tagger {
    lstm: Lstm,
    output: Linear,
    #[module(skip)]
    lengths: Tensor,
}

impl Layer for Tagger {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (states, _) = self.lstm.forward_sequences(input, Some(&self.lengths), None, context);
        self.output.forward(&states, context).flatten(0, 1)
    }
}

pub fn train() -> Box<dyn Workload> {
    let (rng, batch) = (&mut Rng::new(0), 32);
    // Evenly from 1 to all steps, in no order.
    let length = |row: usize| (1 + row * 23 % batch * (NUM_STEPS - 1) / (batch - 1)) as i64;
    let lengths = Tensor::from_slice([batch], &(0..batch).map(length).collect::<Vec<_>>());
    let (lstm, output) = (Lstm::builder(128, 256).num_layers(2).build(rng), Linear::new(256, 100, rng));
    training(Tagger { lstm, output, lengths }, adam, normal([batch, NUM_STEPS, 128]), labels(batch * NUM_STEPS, 100))
}
