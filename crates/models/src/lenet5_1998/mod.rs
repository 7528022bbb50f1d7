//! LeNet-5 as it was.

mod sparse_conv;
mod subsampling;

pub use sparse_conv::SparseConv;
pub use subsampling::Subsampling;

use gyrus_nn::init::Init;
use gyrus_nn::layers::{Activation, Conv2d, Flatten, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::ModelError;
use crate::image_model::{ImageModel, logits};
use crate::lenet5::{check_images, s4_size};

/// LeNet-5 as its paper has it. Of images of 32x32 pixels:
///
/// | layer | | result | parameters |
/// | --- | --- | --- | --- |
/// | C1 | convolution 5x5 | 6 maps of 28x28 | 156 |
/// | S2 | [subsampling](Subsampling) 2x2 | 6 maps of 14x14 | 12 |
/// | C3 | [sparse convolution](SparseConv) 5x5 | 16 maps of 10x10 | 1516 |
/// | S4 | subsampling 2x2 | 16 maps of 5x5 | 32 |
/// | C5 | convolution over the whole map | 120 units | 48120 |
/// | F6 | fully connected | 84 units | 10164 |
///
/// Each layer up to F6 ends in `1.7159 tanh(2 x / 3)`. Initial values are spread evenly over `±2.4 / fan_in`,
/// where `fan_in` is the number of inputs of a unit. The paper's input has the background at -0.1 and the ink
/// at 1.175.
///
/// Where it differs: the paper's output units are distances to fixed bitmaps of characters, trained by a
/// criterion of its own (equations 7 to 9). Here they are linear, for softmax and cross-entropy.
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`.
///
/// # Source
/// LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section II.B
/// and appendix A.
#[derive(Module)]
pub struct LeNet51998 {
    c1: Conv2d,
    s2: Subsampling,
    c3: SparseConv,
    s4: Subsampling,
    c5: Conv2d,
    f6: Linear,
    output: Linear,
    image_size: [usize; 2],
}

impl LeNet51998 {
    /// For images of this height and width in pixels: 32x32 in the paper.
    ///
    /// # Errors
    /// If images have less than 16 pixels along an axis.
    pub fn new(
        num_classes: usize,
        in_channels: usize,
        image_size: [usize; 2],
        rng: &mut Rng,
    ) -> Result<LeNet51998, ModelError> {
        let map_size = s4_size("lenet5-1998", image_size)?;
        let conv = |in_channels: usize, out_channels: usize, kernel_size: [usize; 2], rng: &mut Rng| {
            let init = init(in_channels * kernel_size[0] * kernel_size[1]);
            Conv2d::builder(in_channels, out_channels, kernel_size).init(init).bias_init(init).build(rng)
        };
        let linear = |in_features: usize, out_features: usize, rng: &mut Rng| {
            let init = init(in_features);
            Linear::builder(in_features, out_features).init(init).bias_init(init).build(rng)
        };
        Ok(LeNet51998 {
            c1: conv(in_channels, 6, [5, 5], rng),
            s2: Subsampling::new(6, rng),
            c3: SparseConv::new(rng),
            s4: Subsampling::new(16, rng),
            c5: conv(16, 120, map_size, rng),
            f6: linear(120, 84, rng),
            output: linear(84, num_classes, rng),
            image_size,
        })
    }
}

/// Evenly over `±2.4 / fan_in`.
fn init(fan_in: usize) -> Init {
    let bound = 2.4 / fan_in as f64;
    Init::Uniform { low: -bound, high: bound }
}

impl Layer for LeNet51998 {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for LeNet51998 {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        check_images("lenet5-1998", images, self.c1.in_channels(), self.image_size);
        let c1 = squash(self.c1.forward(images, context));
        let s2 = squash(self.s2.forward(&c1, context));
        let c3 = squash(self.c3.forward(&s2, context));
        let s4 = squash(self.s4.forward(&c3, context));
        vec![c1, s2, c3, s4]
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        let x = squash(self.c5.forward(last, context));
        let x = squash(self.f6.forward(&Flatten.forward(&x, context), context));
        self.output.forward(&x, context)
    }
}

fn squash(x: Tensor) -> Tensor {
    Activation::ScaledTanh.apply(&x)
}
