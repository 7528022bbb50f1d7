//! X17: gated convolutions of growing dilation over 4000 samples, as in WaveNet of van den Oord et al. (2016), Adam.

use gyrus::prelude::*;

use crate::bench::workload::{Workload, adam, inference, labels, normal, training};

const CHANNELS: usize = 64;

#[derive(Module)]
struct Block {
    gated: Conv1d,
    output: Conv1d,
    #[module(skip)]
    dilation: i64,
}

impl Layer for Block {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        // Only what was before counts.
        let y = self.gated.forward(&input.pad(&[(0, 0), (0, 0), (self.dilation, 0)], 0.0), context);
        let gated = y.narrow(1, 0..CHANNELS).tanh() * y.narrow(1, CHANNELS..2 * CHANNELS).sigmoid();
        input + self.output.forward(&gated, context)
    }
}

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    let mut model = Sequential::new();
    for doublings in 0..8 {
        let dilation = 1usize << doublings;
        let gated = Conv1d::builder(CHANNELS, 2 * CHANNELS, 2).dilation(dilation).build(rng);
        model = model.push(Block { gated, output: Conv1d::new(CHANNELS, CHANNELS, 1, rng), dilation: dilation as i64 });
    }
    model.push(Conv1d::new(CHANNELS, 256, 1, rng))
}

pub fn train() -> Box<dyn Workload> {
    let classes = labels(2 * 4000, 256).reshape([2, 4000]).detach();
    training(model(), adam, normal([2, CHANNELS, 4000]), classes)
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([1, CHANNELS, 4000]))
}
