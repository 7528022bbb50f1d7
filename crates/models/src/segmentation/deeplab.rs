//! A network that looks at its coarsest map at several scales at once.

use gyrus_nn::layers::{Activation, BatchNorm, Conv2d, Dropout, Interpolation, interpolate};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor};

use crate::image_model::ImageModel;
use crate::unbiased_conv::UnbiasedConv;
use crate::{ModelError, classification};

/// The channels of all that comes after the backbone.
const CHANNELS: usize = 256;

/// The channels of the fine map that the decoder sees.
const FINE_CHANNELS: usize = 48;

/// The dilations of the pyramid's convolutions.
const DILATIONS: [usize; 3] = [3, 6, 9];

/// DeepLabV3+: the coarsest map of a backbone goes through convolutions of several dilations and a mean over the whole
/// (atrous spatial pyramid pooling); the result is made larger, joined with a fine map of the backbone, and convolved
/// twice.
///
/// # Shapes
/// `[N, in_channels, H, W]` to `[N, out_channels, H, W]`, of sizes that the backbone takes.
///
/// # Source
/// Chen et al., Encoder-Decoder with Atrous Separable Convolution (2018), figure 2. Deviations: the backbone keeps its
/// strides, so that its coarsest map has a stride of 32, not 16, and dilations are half the published 6, 12, 18; the
/// convolutions of the pyramid are separable, as the paper's for Xception.
#[derive(Module)]
pub struct DeepLabV3Plus {
    backbone: Box<dyn ImageModel + Send>,
    pyramid: Pyramid,
    fine: ConvNorm,
    decoder: (Separable, Separable),
    output: Conv2d,
}

impl DeepLabV3Plus {
    /// On a model that classifies images, by its name, for images of a height and width in pixels.
    ///
    /// # Errors
    /// If there is no such model, or the images are too small for it.
    pub fn new(
        backbone: &str,
        in_channels: usize,
        out_channels: usize,
        image_size: [usize; 2],
        rng: &mut Rng,
    ) -> Result<DeepLabV3Plus, ModelError> {
        let backbone = classification(backbone, in_channels, 1, image_size, rng)?;
        // Shapes are known without computing anything.
        let images = Tensor::zeros([1, in_channels, image_size[0], image_size[1]], DType::F32);
        let maps = backbone.maps(&images, &mut Context::evaluate());
        let [fine, coarse] = [fine(&maps, &images), maps.last().expect("a map")].map(|map| map.shape()[1]);
        Ok(DeepLabV3Plus {
            backbone,
            pyramid: Pyramid::new(coarse, rng),
            fine: conv_norm(UnbiasedConv::new(fine, FINE_CHANNELS, 1), FINE_CHANNELS, rng),
            decoder: (separable(CHANNELS + FINE_CHANNELS, 1, rng), separable(CHANNELS, 1, rng)),
            output: Conv2d::new(CHANNELS, out_channels, 1, rng),
        })
    }
}

/// The first map whose height is at most a quarter of the image's, or the last.
fn fine<'a>(maps: &'a [Tensor], images: &Tensor) -> &'a Tensor {
    let is_coarse = |map: &&Tensor| 4 * map.shape()[2] <= images.shape()[2] + 3;
    maps.iter().find(is_coarse).or(maps.last()).expect("a map")
}

impl Layer for DeepLabV3Plus {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        let maps = self.backbone.maps(images, context);
        let fine = self.fine.forward(fine(&maps, images), context);
        let coarse = self.pyramid.forward(maps.last().expect("a map"), context);
        let x = Tensor::cat(&[&interpolate(&coarse, size(&fine), Interpolation::Bilinear), &fine], 1);
        let logits = self.output.forward(&self.decoder.forward(&x, context), context);
        interpolate(&logits, size(images), Interpolation::Bilinear)
    }
}

fn size(map: &Tensor) -> [usize; 2] {
    [map.shape()[2], map.shape()[3]]
}

type ConvNorm = (Conv2d, BatchNorm, Activation);

fn conv_norm(conv: UnbiasedConv, channels: usize, rng: &mut Rng) -> ConvNorm {
    (conv.build(rng), BatchNorm::new(channels), Activation::Relu)
}

/// A convolution of each channel by itself, and one 1x1.
type Separable = (ConvNorm, ConvNorm);

fn separable(from: usize, dilation: usize, rng: &mut Rng) -> Separable {
    let by_channel = conv_norm(UnbiasedConv::depthwise(from, 3).dilation(dilation), from, rng);
    (by_channel, conv_norm(UnbiasedConv::new(from, CHANNELS, 1), CHANNELS, rng))
}

/// Atrous spatial pyramid pooling.
#[derive(Module)]
struct Pyramid {
    point: ConvNorm,
    dilated: Vec<Separable>,
    whole: (Conv2d, Activation),
    project: (ConvNorm, Dropout),
}

impl Pyramid {
    fn new(from: usize, rng: &mut Rng) -> Pyramid {
        let num_branches = DILATIONS.len() + 2;
        Pyramid {
            point: conv_norm(UnbiasedConv::new(from, CHANNELS, 1), CHANNELS, rng),
            dilated: DILATIONS.map(|dilation| separable(from, dilation, rng)).into(),
            // One place an image, which is too little to be normalised over a small batch.
            whole: (Conv2d::new(from, CHANNELS, 1, rng), Activation::Relu),
            project: (
                conv_norm(UnbiasedConv::new(num_branches * CHANNELS, CHANNELS, 1), CHANNELS, rng),
                Dropout::new(0.1),
            ),
        }
    }
}

impl Layer for Pyramid {
    fn forward(&self, map: &Tensor, context: &mut Context) -> Tensor {
        let mut branches = vec![self.point.forward(map, context)];
        branches.extend(self.dilated.iter().map(|branch| branch.forward(map, context)));
        let mean = map.mean([2, 3]).unsqueeze(-1).unsqueeze(-1);
        let whole = self.whole.forward(&mean, context);
        branches.push(interpolate(&whole, size(map), Interpolation::Nearest));
        self.project.forward(&Tensor::cat(&branches, 1), context)
    }
}
