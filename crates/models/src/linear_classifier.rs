//! The least of networks.

use gyrus_nn::layers::{Flatten, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

/// Logits as a linear function of all inputs: with softmax and cross-entropy multinomial logistic regression,
/// a baseline for whatever is deeper.
///
/// # Shapes
/// `[N, sizes..]` to logits `[N, num_classes]`.
#[derive(Module)]
pub struct LinearClassifier {
    output: Linear,
}

impl LinearClassifier {
    /// For so many inputs, the product of `sizes`.
    pub fn new(in_features: usize, num_classes: usize, rng: &mut Rng) -> Self {
        LinearClassifier { output: Linear::new(in_features, num_classes, rng) }
    }
}

impl Layer for LinearClassifier {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.output.forward(&Flatten.forward(input, context), context)
    }
}
