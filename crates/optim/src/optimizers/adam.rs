//! Adaptive moment estimation.

use gyrus_nn_derive::Module;
use gyrus_tensor::{Buffer, DType, Gradients, Module, Tensor};

use crate::optimizer::{Optimizer, Slots, no_steps, scalar_type, update_parameters};
use crate::schedule::Schedule;

/// Options of [`Adam`].
#[derive(Clone, Debug, PartialEq)]
pub struct AdamConfig {
    /// The learning rate.
    pub learning_rate: Schedule,
    /// The shares of the mean of the gradient, and of its square, that are kept.
    pub betas: (f64, f64),
    /// Added to the root of the mean square.
    pub eps: f64,
    /// The factor of the parameters in the gradient.
    pub weight_decay: f64,
}

impl AdamConfig {
    /// With `betas` 0.9 and 0.999, `eps` 1e-8 and no weight decay.
    pub fn new(learning_rate: impl Into<Schedule>) -> Self {
        AdamConfig { learning_rate: learning_rate.into(), betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0 }
    }
}

/// Adam. With the gradient `g` of the loss, in step `t = 1, 2, ..`, for each parameter `p`:
///
/// ```text
/// g = g + weight_decay p
/// m = beta1 m + (1 - beta1) g
/// v = beta2 v + (1 - beta2) g²
/// p = p - learning_rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
/// ```
///
/// # Source
/// Kingma, Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1, with the weight decay of PyTorch.
#[derive(Module)]
pub struct Adam {
    #[module(skip)]
    config: AdamConfig,
    /// Whether weights decay by themselves, rather than through the gradient.
    #[module(skip)]
    decoupled: bool,
    step: Buffer,
    exp_avg: Slots,
    exp_avg_sq: Slots,
}

impl Adam {
    /// For a model.
    ///
    /// # Panics
    /// If the betas are not from 0 up to but not including 1.
    #[track_caller]
    pub fn new(model: &(impl Module + ?Sized), config: AdamConfig) -> Self {
        Adam::with_decay(model, config, false)
    }

    /// As [`Adam::new`], saying how weights decay.
    #[track_caller]
    pub(super) fn with_decay(model: &(impl Module + ?Sized), config: AdamConfig, decoupled: bool) -> Self {
        let (beta1, beta2) = config.betas;
        let is_share = |beta| (0.0..1.0).contains(&beta);
        assert!(is_share(beta1) && is_share(beta2), "adam: betas ({beta1}, {beta2}): must be at least 0 and below 1");
        let (exp_avg, exp_avg_sq) = (Slots::zeros(model), Slots::zeros(model));
        Adam { config, decoupled, step: no_steps(), exp_avg, exp_avg_sq }
    }
}

/// `1 - beta^steps`, without cancellation where beta is near 1.
fn correction(beta: f64, steps: &Tensor) -> Tensor {
    -(steps * beta.ln()).expm1()
}

impl Optimizer for Adam {
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        let AdamConfig { ref learning_rate, betas: (beta1, beta2), eps, weight_decay } = self.config;
        let decoupled = self.decoupled;
        let step = self.step.get();
        let scalar_type = scalar_type(model);
        let learning_rate = learning_rate.at(&step, scalar_type);
        let step = step + 1;
        let steps = step.to_dtype(scalar_type);
        let step_size = &learning_rate / correction(beta1, &steps);
        // A product with the reciprocal is faster than a quotient.
        let inverse_root = 1.0 / correction(beta2, &steps).sqrt();
        let kept = (decoupled && weight_decay != 0.0).then(|| 1.0 - &learning_rate * weight_decay);
        let slots = &mut [&mut self.exp_avg, &mut self.exp_avg_sq];
        update_parameters("adam", model, gradients, slots, |slots, index, parameter, gradient| {
            let mut gradient = gradient.clone();
            let mut parameter = parameter.clone();
            if let Some(kept) = &kept {
                parameter *= kept;
            } else if weight_decay != 0.0 {
                gradient += &parameter * weight_decay;
            }
            let mean = slots[0].update(index, |mean| mean + (&gradient - mean) * (1.0 - beta1));
            let square = slots[1].update(index, |square| square * beta2 + &gradient * &gradient * (1.0 - beta2));
            let denominator = square.sqrt() * &inverse_root + eps;
            parameter - &step_size * mean / denominator
        });
        self.step.set(step);
    }

    fn learning_rate(&self) -> Tensor {
        self.config.learning_rate.at(&self.step.get(), DType::F32)
    }
}
