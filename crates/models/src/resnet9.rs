//! A residual network that learns fast.

use gyrus_nn::layers::{Activation, BatchNorm, Conv2d, Linear, MaxPool2d};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits};
use crate::unbiased_conv::UnbiasedConv;

/// Convolution 3x3, batch normalisation, rectified linear units.
type Unit = (Conv2d, BatchNorm, Activation);

fn unit(from: usize, to: usize, rng: &mut Rng) -> Unit {
    (UnbiasedConv::new(from, to, 3).build(rng), BatchNorm::new(to), Activation::Relu)
}

/// A residual network of nine layers for images of some 32x32 pixels, which learns them in a few epochs. With the
/// width `w`, 64 as published:
///
/// | layer | | maps of 32x32 pixels become |
/// | --- | --- | --- |
/// | `prep` | convolution 3x3 | `w` of 32x32 |
/// | `layer1` | convolution, max pooling; two convolutions with a connection past them | `2w` of 16x16 |
/// | `layer2` | convolution, max pooling | `4w` of 8x8 |
/// | `layer3` | as `layer1` | `8w` of 4x4 |
/// | `linear` | the greatest of each map, then fully connected, divided by 8 | logits |
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`, of any height and width from 8 on.
///
/// # Source
/// Page, How to Train Your ResNet (2018), the network of its fourth part; the initial weights are those of
/// [`ResNet`](crate::ResNet).
#[derive(Module)]
pub struct ResNet9 {
    prep: Unit,
    layer1: (Unit, MaxPool2d, Unit, Unit),
    layer2: (Unit, MaxPool2d),
    layer3: (Unit, MaxPool2d, Unit, Unit),
    linear: Linear,
}

impl ResNet9 {
    /// The least height and width of an image in pixels.
    pub const MINIMUM: usize = 8;

    /// With `width` maps in the first layer.
    pub fn new(width: usize, num_classes: usize, in_channels: usize, rng: &mut Rng) -> ResNet9 {
        let pool = || MaxPool2d::new(2);
        let prep = unit(in_channels, width, rng);
        let residual =
            |from: usize, to: usize, rng: &mut Rng| (unit(from, to, rng), pool(), unit(to, to, rng), unit(to, to, rng));
        ResNet9 {
            prep,
            layer1: residual(width, 2 * width, rng),
            layer2: (unit(2 * width, 4 * width, rng), pool()),
            layer3: residual(4 * width, 8 * width, rng),
            linear: Linear::builder(8 * width, num_classes).bias(false).build(rng),
        }
    }
}

impl Layer for ResNet9 {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for ResNet9 {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let residual =
            |(first, pool, second, third): &(Unit, MaxPool2d, Unit, Unit), x: &Tensor, context: &mut Context| {
                let x = pool.forward(&first.forward(x, context), context);
                let y = second.forward(&x, context);
                x + third.forward(&y, context)
            };
        let prep = self.prep.forward(images, context);
        let first = residual(&self.layer1, &prep, context);
        let second = self.layer2.forward(&first, context);
        let third = residual(&self.layer3, &second, context);
        vec![prep, first, second, third]
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        self.linear.forward(&last.max([2, 3]), context) * 0.125
    }
}
