//! W2: a multi-layer perceptron, Adam.

use gyrus::prelude::*;

use super::workload::{Workload, adam, labels, normal, training};

pub fn train() -> Box<dyn Workload> {
    let rng = &mut Rng::new(0);
    let model = (
        Linear::new(784, 512, rng),
        Activation::Relu,
        Linear::new(512, 512, rng),
        Activation::Relu,
        Linear::new(512, 10, rng),
    );
    training(model, adam, normal([128, 784]), labels(128, 10))
}
