//! The least of networks.

use gyrus_nn::layers::{Flatten, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits};

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
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for LinearClassifier {
    fn maps(&self, images: &Tensor, _: &mut Context) -> Vec<Tensor> {
        vec![images.clone()]
    }

    fn classify(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.output.forward(&Flatten.forward(input, context), context)
    }
}
