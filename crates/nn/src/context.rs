//! What a forward pass is for.

use gyrus_tensor::Rng;

/// Whether a model is trained or used, and in training the source of its random numbers.
pub struct Context<'a> {
    rng: Option<&'a mut Rng>,
}

impl Context<'_> {
    /// For using a model: nothing is dropped, running statistics are used and stay as they are.
    pub fn evaluate() -> Context<'static> {
        Context { rng: None }
    }

    /// For one step of training. [Advances](Rng::advance) the random numbers, so that each step draws anew.
    pub fn train(rng: &mut Rng) -> Context<'_> {
        rng.advance();
        Context { rng: Some(rng) }
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
