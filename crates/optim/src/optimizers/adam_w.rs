//! Adam with decoupled weight decay.

use gyrus_nn_derive::Module;
use gyrus_tensor::{Gradients, Module, Tensor};

use super::{Adam, AdamConfig};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// Options of [`AdamW`].
#[derive(Clone, Debug, PartialEq)]
pub struct AdamWConfig {
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The shares of the mean of the gradient, and of its square, that are kept.
    pub betas: (f64, f64),
    /// Added to the root of the mean square.
    pub eps: f64,
    /// The share of the parameters that decays in a step of learning rate 1.
    pub weight_decay: f64,
}

impl AdamWConfig {
    /// With `betas` 0.9 and 0.999, `eps` 1e-8 and weight decay 0.01.
    pub fn new(learning_rate: impl Into<Schedule>) -> Self {
        AdamWConfig { learning_rate: learning_rate.into(), betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01 }
    }
}

/// [`Adam`] with weights that decay by themselves: each parameter is multiplied by
/// `1 - learning_rate weight_decay` before a step, in which decay plays no other part.
///
/// # Source
/// Loshchilov, Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2, with the learning rate in
/// the decay, as PyTorch has it.
#[derive(Module)]
pub struct AdamW(Adam);

impl AdamW {
    /// For a model.
    ///
    /// # Panics
    /// As [`Adam::new`].
    #[track_caller]
    pub fn new(model: &(impl Module + ?Sized), config: AdamWConfig) -> Self {
        let AdamWConfig { learning_rate, betas, eps, weight_decay } = config;
        AdamW(Adam::with_decay(model, AdamConfig { learning_rate, betas, eps, weight_decay }, true))
    }
}

impl Optimizer for AdamW {
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        self.0.update(model, gradients);
    }

    fn learning_rate(&self) -> Tensor {
        self.0.learning_rate()
    }
}
