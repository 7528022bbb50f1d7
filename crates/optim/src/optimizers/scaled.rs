//! A learning rate for each parameter.

use gyrus_nn_derive::Module;
use gyrus_tensor::{Buffer, Gradients, Kind, Module, Path, Tensor};

use crate::optimizer::{Optimizer, no_steps};

/// How fast a parameter learns, beside others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// What its learning rate is multiplied by.
    pub factor: f64,
    /// The step, from 0, from which on it learns; before it stays as it is.
    pub begins: u64,
}

/// The optimizer inside, with the change of each parameter multiplied by a factor of its own: as if the learning rate
/// were multiplied by it, as the steps of all optimizers here are in proportion to that. Parameters may begin to learn
/// later than others.
///
/// # Source
/// Howard, Ruder, Universal Language Model Fine-tuning for Text Classification (2018), section 3.2, "discriminative
/// fine-tuning", and section 3.3, "gradual unfreezing".
#[derive(Module)]
pub struct Scaled {
    inner: Box<dyn Optimizer>,
    step: Buffer,
    #[module(skip)]
    rates: Vec<Rate>,
}

impl Scaled {
    /// With a rate for the path of each parameter of the model.
    pub fn new(inner: Box<dyn Optimizer>, model: &(impl Module + ?Sized), rate: impl Fn(&str) -> Rate) -> Self {
        let rates = model.named_parameters().iter().map(|(path, _)| rate(path)).collect();
        Scaled { inner, step: no_steps(), rates }
    }
}

impl Optimizer for Scaled {
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        let before: Vec<Tensor> = model.parameters();
        self.inner.update(model, gradients);
        let step = self.step.get();
        let mut scaled = before.iter().zip(&self.rates);
        model.walk_mut(&mut Path::default(), &mut |_, kind, parameter| {
            if kind != Kind::Parameter {
                return;
            }
            let (before, &Rate { factor, begins }) = scaled.next().expect("the optimizer was made for this model");
            if factor != 1.0 {
                *parameter = before + (&*parameter - before) * factor;
            }
            if begins > 0 {
                *parameter = step.ge(begins as i64).select(&*parameter, before);
            }
        });
        self.step.set(step + 1);
    }

    fn learning_rate(&self) -> Tensor {
        self.inner.learning_rate()
    }
}
