//! What a forward pass is for.

use gyrus_tensor::{Precision, Rng};

/// Whether a model is trained or used, and in training the source of its random numbers.
pub struct Context<'a> {
    rng: Option<&'a mut Rng>,
    precision: Precision,
}

impl<'a> Context<'a> {
    /// For using a model: nothing is dropped, running statistics are used and stay as they are.
    pub fn evaluate() -> Context<'static> {
        Context { rng: None, precision: Precision::Full }
    }

    /// For one step of training. [Advances](Rng::advance) the random numbers, so that each step draws anew.
    pub fn train(rng: &'a mut Rng) -> Context<'a> {
        rng.advance();
        Context { rng: Some(rng), precision: Precision::Full }
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

    /// The source of random numbers, in training.
    pub fn rng(&mut self) -> Option<&mut Rng> {
        self.rng.as_deref_mut()
    }
}
