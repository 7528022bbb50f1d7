//! Stochastic gradient descent.

use gyrus_nn_derive::Module;
use gyrus_tensor::{Buffer, DType, Gradients, Module, Tensor};

use crate::optimizer::{Optimizer, Slots, no_steps, scalar_type, update_parameters};
use crate::schedule::Schedule;

/// Options of [`Sgd`].
#[derive(Clone, Debug, PartialEq)]
pub struct SgdConfig {
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The share of the velocity that is kept, from 0 to 1.
    pub momentum: f64,
    /// The share of the gradient that does not enter the velocity, from the second step on.
    pub dampening: f64,
    /// Whether the step looks ahead along the velocity.
    pub nesterov: bool,
    /// The factor of the parameters in the gradient.
    pub weight_decay: f64,
}

impl SgdConfig {
    /// Without momentum and weight decay.
    pub fn new(learning_rate: impl Into<Schedule>) -> Self {
        let learning_rate = learning_rate.into();
        SgdConfig { learning_rate, momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

/// Stochastic gradient descent. With the gradient `g` of the loss, for each parameter `p`:
///
/// ```text
/// g = g + weight_decay p
/// b = momentum b + (1 - dampening) g        b = g in the first step
/// g = g + momentum b if nesterov, else b    without momentum g stays
/// p = p - learning_rate g
/// ```
///
/// # Source
/// Sutskever et al., On the importance of initialization and momentum in deep learning (2013), in the form
/// of PyTorch, whose velocity `b` does not contain the learning rate.
#[derive(Module)]
pub struct Sgd {
    #[module(skip)]
    config: SgdConfig,
    step: Buffer,
    momentum_buffer: Option<Slots>,
}

impl Sgd {
    /// For a model.
    ///
    /// # Panics
    /// If a Nesterov step is asked for without momentum or with dampening.
    #[track_caller]
    pub fn new(model: &(impl Module + ?Sized), config: SgdConfig) -> Self {
        let SgdConfig { momentum, dampening, nesterov, .. } = config;
        assert!(
            !nesterov || (momentum > 0.0 && dampening == 0.0),
            "sgd: momentum {momentum}, dampening {dampening}: nesterov needs momentum and no dampening"
        );
        let momentum_buffer = (momentum != 0.0).then(|| Slots::zeros(model));
        Sgd { config, step: no_steps(), momentum_buffer }
    }
}

impl Optimizer for Sgd {
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        let SgdConfig { learning_rate, momentum, dampening, nesterov, weight_decay } = &self.config;
        let step = self.step.get();
        let scalar_type = scalar_type(model);
        let learning_rate = learning_rate.at(&step, scalar_type);
        // The first gradient is not dampened: the velocity starts at 0.
        let entering = (*dampening != 0.0).then(|| step.eq(0).select(learning_rate.ones_like(), 1.0 - dampening));
        let mut slots: Vec<&mut Slots> = self.momentum_buffer.iter_mut().collect();
        update_parameters("sgd", model, gradients, &mut slots, |slots, index, parameter, gradient| {
            let mut direction = gradient.clone();
            if *weight_decay != 0.0 {
                direction += parameter * *weight_decay;
            }
            if let [momentum_buffer] = slots {
                let velocity = momentum_buffer.update(index, |velocity| {
                    let dtype = velocity.dtype();
                    let entering = entering.as_ref().map_or(direction.clone(), |share| &direction * share);
                    (velocity * *momentum + entering).to_dtype(dtype)
                });
                direction = if *nesterov { direction + velocity * *momentum } else { velocity };
            }
            parameter - &learning_rate * direction
        });
        self.step.set(step + 1);
    }

    fn learning_rate(&self) -> Tensor {
        self.config.learning_rate.at(&self.step.get(), DType::F32)
    }
}
