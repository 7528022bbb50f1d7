//! W4: two layers of long short-term memory, Adam.

use gyrus::prelude::*;

use super::workload::{Workload, adam, labels, normal, training};

pub fn train() -> Box<dyn Workload> {
    let rng = &mut Rng::new(0);
    let model = PerStep((Lstm::builder(128, 256).num_layers(2).build(rng), Linear::new(256, 100, rng)));
    training(model, adam, normal([32, 64, 128]), labels(32 * 64, 100))
}

/// The logits of all steps, one row each.
#[derive(Module)]
pub struct PerStep<L>(pub L);

impl<L: Layer> Layer for PerStep<L> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.0.forward(input, context).flatten(0, 1)
    }
}
