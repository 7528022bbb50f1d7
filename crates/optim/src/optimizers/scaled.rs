//! A learning rate for each parameter.

use gyrus_nn_derive::Module;
use gyrus_tensor::{Gradients, Kind, Module, Path, Tensor};

use crate::optimizer::Optimizer;

/// The optimizer inside, with the change of each parameter multiplied by a factor of its own: as if the learning rate
/// were multiplied by it, as the steps of all optimizers here are in proportion to that.
///
/// # Source
/// Howard, Ruder, Universal Language Model Fine-tuning for Text Classification (2018), section 3.2, "discriminative
/// fine-tuning".
#[derive(Module)]
pub struct Scaled {
    inner: Box<dyn Optimizer>,
    #[module(skip)]
    factors: Vec<f64>,
}

impl Scaled {
    /// With a factor for the path of each parameter of the model.
    pub fn new(inner: Box<dyn Optimizer>, model: &(impl Module + ?Sized), factor: impl Fn(&str) -> f64) -> Self {
        let factors = model.named_parameters().iter().map(|(path, _)| factor(path)).collect();
        Scaled { inner, factors }
    }
}

impl Optimizer for Scaled {
    fn step(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        let before: Vec<Tensor> = model.parameters();
        self.inner.step(model, gradients);
        let mut scaled = before.iter().zip(&self.factors);
        model.walk_mut(&mut Path::default(), &mut |_, kind, parameter| {
            if kind != Kind::Parameter {
                return;
            }
            let (before, &factor) = scaled.next().expect("the optimizer was made for this model");
            if factor != 1.0 {
                *parameter = before + (&*parameter - before) * factor;
            }
        });
    }

    fn learning_rate(&self) -> Tensor {
        self.inner.learning_rate()
    }
}
