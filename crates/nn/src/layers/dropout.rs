//! Random omission.

use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// In training each element is 0 with the given probability, and else divided by one minus it, so that the
/// expectation stays; otherwise the identity.
///
/// # Source
/// Srivastava et al., Dropout (2014), in the inverted form.
#[derive(Clone, Copy, Debug, Module)]
pub struct Dropout {
    probability: f64,
}

impl Dropout {
    /// With the probability to drop an element, from 0 up to but not including 1.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn new(probability: f64) -> Self {
        assert!((0.0..1.0).contains(&probability), "dropout: probability {probability} must be at least 0 and below 1");
        Dropout { probability }
    }
}

impl Layer for Dropout {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let kept = 1.0 - self.probability;
        match context.rng() {
            Some(rng) if kept < 1.0 => rng.bernoulli(input.shape(), kept).select(input * (1.0 / kept), 0.0),
            _ => input.clone(),
        }
    }
}
