//! Fully connected networks.

use gyrus_nn::layers::{Activation, Flatten, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits};

/// A multi-layer perceptron: fully connected layers with rectified linear units between them.
///
/// # Shapes
/// `[N, sizes..]` to logits `[N, num_classes]`.
#[derive(Module)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// For so many inputs, the product of `sizes`, with hidden layers of these numbers of units.
    pub fn new(in_features: usize, hidden: &[usize], num_classes: usize, rng: &mut Rng) -> Self {
        let sizes = [&[in_features], hidden, &[num_classes]].concat();
        Mlp { layers: sizes.windows(2).map(|pair| Linear::new(pair[0], pair[1], rng)).collect() }
    }
}

impl Layer for Mlp {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for Mlp {
    fn maps(&self, images: &Tensor, _: &mut Context) -> Vec<Tensor> {
        vec![images.clone()]
    }

    fn classify(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let input = Flatten.forward(input, context);
        let (first, rest) = self.layers.split_first().expect("an output layer");
        rest.iter().fold(first.forward(&input, context), |x, layer| layer.forward(&Activation::Relu.apply(&x), context))
    }
}
