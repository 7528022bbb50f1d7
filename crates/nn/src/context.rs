//! What a forward pass is for.

use gyrus_tensor::{Precision, Rng, Tensor};

/// Whether a model is trained or used, and in training the source of its random numbers.
pub struct Context<'a> {
    rng: Option<&'a mut Rng>,
    precision: Precision,
    /// What is not trained.
    held: Vec<Tensor>,
}

impl<'a> Context<'a> {
    /// For using a model: nothing is dropped, running statistics are used and stay as they are.
    pub fn evaluate() -> Context<'static> {
        Context { rng: None, precision: Precision::Full, held: vec![] }
    }

    /// For one step of training. [Advances](Rng::advance) the random numbers, so that each step draws anew.
    pub fn train(rng: &'a mut Rng) -> Context<'a> {
        rng.advance();
        Context { rng: Some(rng), precision: Precision::Full, held: vec![] }
    }

    /// With layers' products, and their gradients, computed so; parameters, sums and results stay what they are.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Context { precision, ..self }
    }

    /// How exactly products are to be computed.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether the pass is one of training.
    pub fn is_training(&self) -> bool {
        self.rng.is_some()
    }

    /// Whether the pass is one of training, and this parameter learns in it.
    pub fn is_learning(&self, parameter: &Tensor) -> bool {
        self.is_training() && !self.held.iter().any(|held| held.value().is_same(parameter.value()))
    }

    /// The source of random numbers, in training.
    pub fn rng(&mut self) -> Option<&mut Rng> {
        self.rng.as_deref_mut()
    }

    /// Runs a function in which, beside what is held already, these tensors do not learn.
    pub(crate) fn holding<R>(&mut self, tensors: Vec<Tensor>, run: impl FnOnce(&mut Context) -> R) -> R {
        let before = self.held.len();
        self.held.extend(tensors);
        let result = run(self);
        self.held.truncate(before);
        result
    }
}
