//! LeNet-5 with today's units.

use gyrus_nn::layers::{Activation, BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::ModelError;
use crate::image_model::{ImageModel, logits};

/// Options of [`LeNet5`].
#[derive(Clone, Debug, PartialEq)]
pub struct LeNet5Config {
    /// The channels of an image: 1 for grey levels, 3 for colours.
    pub in_channels: usize,
    /// The number of classes.
    pub num_classes: usize,
    /// Height and width of an image in pixels, at least 16 each.
    pub image_size: [usize; 2],
    /// The function after each layer but the last.
    pub activation: Activation,
    /// Whether the maps of both inner convolutions are normalised over the batch.
    pub batch_norm: bool,
    /// The probability to drop a unit of C5 and of F6 in training.
    pub dropout: f64,
}

impl LeNet5Config {
    /// For images of 32x32 pixels, with rectified linear units, without normalisation and dropout.
    pub fn new(num_classes: usize, in_channels: usize) -> Self {
        LeNet5Config {
            in_channels,
            num_classes,
            image_size: [32, 32],
            activation: Activation::Relu,
            batch_norm: false,
            dropout: 0.0,
        }
    }
}

/// LeNet-5: its topology, with rectified linear units, max pooling and a plain linear output, as it is used
/// today. Of images of 32x32 pixels and with 10 classes:
///
/// | layer | | result |
/// | --- | --- | --- |
/// | C1 | convolution 5x5 | 6 maps of 28x28 |
/// | S2 | max pooling 2x2 | 6 maps of 14x14 |
/// | C3 | convolution 5x5 of all maps | 16 maps of 10x10 |
/// | S4 | max pooling 2x2 | 16 maps of 5x5 |
/// | C5 | convolution over the whole map | 120 units |
/// | F6 | fully connected | 84 units |
/// | output | fully connected | 10 logits |
///
/// The original is [`LeNet51998`](crate::LeNet51998).
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`.
///
/// # Source
/// LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section II.B.
#[derive(Module)]
pub struct LeNet5 {
    c1: Conv2d,
    c1_norm: Option<BatchNorm>,
    c3: Conv2d,
    c3_norm: Option<BatchNorm>,
    c5: Conv2d,
    f6: Linear,
    output: Linear,
    activation: Activation,
    dropout: Dropout,
    image_size: [usize; 2],
}

impl LeNet5 {
    /// For images of 32x32 pixels, with the options of [`LeNet5Config::new`].
    pub fn new(num_classes: usize, in_channels: usize, rng: &mut Rng) -> LeNet5 {
        LeNet5::with_config(&LeNet5Config::new(num_classes, in_channels), rng).expect("32x32 pixels are enough")
    }

    /// With other options.
    ///
    /// # Errors
    /// If images have less than 16 pixels along an axis.
    pub fn with_config(config: &LeNet5Config, rng: &mut Rng) -> Result<LeNet5, ModelError> {
        let &LeNet5Config { in_channels, num_classes, image_size, activation, batch_norm, dropout } = config;
        let map_size = s4_size("lenet5", image_size)?;
        Ok(LeNet5 {
            c1: Conv2d::new(in_channels, 6, 5, rng),
            c1_norm: batch_norm.then(|| BatchNorm::new(6)),
            c3: Conv2d::new(6, 16, 5, rng),
            c3_norm: batch_norm.then(|| BatchNorm::new(16)),
            c5: Conv2d::new(16, 120, map_size, rng),
            f6: Linear::new(120, 84, rng),
            output: Linear::new(84, num_classes, rng),
            activation,
            dropout: Dropout::new(dropout),
            image_size,
        })
    }
}

impl Layer for LeNet5 {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for LeNet5 {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        check_images("lenet5", images, self.c1.in_channels(), self.image_size);
        let (activation, pool) = (self.activation, MaxPool2d::new(2));
        let c1 = activation.apply(&self.c1_norm.forward(&self.c1.forward(images, context), context));
        let s2 = pool.forward(&c1, context);
        let c3 = activation.apply(&self.c3_norm.forward(&self.c3.forward(&s2, context), context));
        let s4 = pool.forward(&c3, context);
        vec![c1, s2, c3, s4]
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        let activation = self.activation;
        let mut x = self.c5.forward(last, context);
        x = self.dropout.forward(&activation.apply(&Flatten.forward(&x, context)), context);
        x = self.f6.forward(&x, context);
        x = self.dropout.forward(&activation.apply(&x), context);
        self.output.forward(&x, context)
    }
}

/// Height and width of the maps of layer S4, over which C5 goes as a whole: 5x5 of images of 32x32.
pub(crate) fn s4_size(model: &'static str, image_size: [usize; 2]) -> Result<[usize; 2], ModelError> {
    let minimum = 16;
    if image_size.iter().any(|&size| size < minimum) {
        return Err(ModelError::ImageTooSmall { model, image_size, minimum });
    }
    Ok(image_size.map(|size| ((size - 4) / 2 - 4) / 2))
}

/// Asserts that images are what the model was made for.
pub(crate) fn check_images(model: &str, images: &Tensor, in_channels: usize, [height, width]: [usize; 2]) {
    assert!(
        images.rank() == 4 && images.shape()[1..] == [in_channels, height, width],
        "{model}: input {}: must be [N, {in_channels}, {height}, {width}], as the model was made for",
        images.spec()
    );
}
