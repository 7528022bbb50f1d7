//! A network for small devices.

use gyrus_nn::init::Init;
use gyrus_nn::layers::{Activation, BatchNorm, Dropout, GlobalAvgPool, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits, push_map};
use crate::unbiased_conv::UnbiasedConv;

/// The stages: expansion, channels, blocks, stride of the first block.
const STAGES: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// MobileNetV2 of width 1: blocks that widen their input sixfold, convolve each channel by itself, and narrow the
/// result without an activation.
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`, of any height and width.
///
/// # Source
/// Sandler et al., MobileNetV2 (2018), table 2. Names as in torchvision. The last normalisation of blocks with a
/// connection past them starts at 0, as in [`ResNet`](crate::ResNet).
#[derive(Module)]
pub struct MobileNetV2 {
    features: Vec<Box<dyn Layer>>,
    classifier: (Dropout, Linear),
}

impl MobileNetV2 {
    /// With a first convolution of stride `stem_stride`: 2 as published, 1 for images of some 32x32 pixels.
    pub fn new(num_classes: usize, in_channels: usize, stem_stride: usize, rng: &mut Rng) -> MobileNetV2 {
        let mut from = 32;
        let stem = UnbiasedConv::new(in_channels, from, 3).stride(stem_stride);
        let mut features: Vec<Box<dyn Layer>> = vec![Box::new(normed(stem, from, rng))];
        for (expansion, to, num_blocks, stride) in STAGES {
            for index in 0..num_blocks {
                let stride = if index == 0 { stride } else { 1 };
                features.push(Box::new(InvertedResidual::new(from, to, expansion, stride, rng)));
                from = to;
            }
        }
        features.push(Box::new(normed(UnbiasedConv::new(from, 1280, 1), 1280, rng)));
        let init = Init::Normal { mean: 0.0, standard_deviation: 0.01 };
        let output = Linear::builder(1280, num_classes).init(init).bias_init(Init::Zeros).build(rng);
        MobileNetV2 { features, classifier: (Dropout::new(0.2), output) }
    }
}

impl Layer for MobileNetV2 {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for MobileNetV2 {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let (mut x, mut maps) = (images.clone(), vec![]);
        for layer in &self.features {
            x = layer.forward(&x, context);
            push_map(&mut maps, x.clone());
        }
        maps
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        self.classifier.forward(&GlobalAvgPool.forward(last, context), context)
    }
}

fn normed(conv: UnbiasedConv, channels: usize, rng: &mut Rng) -> impl Layer + use<> {
    (conv.build(rng), BatchNorm::new(channels), Activation::Relu6)
}

#[derive(Module)]
struct InvertedResidual {
    conv: Box<dyn Layer>,
    is_residual: bool,
}

impl InvertedResidual {
    fn new(from: usize, to: usize, expansion: usize, stride: usize, rng: &mut Rng) -> Self {
        let (wide, is_residual) = (from * expansion, stride == 1 && from == to);
        let expand = (expansion > 1).then(|| normed(UnbiasedConv::new(from, wide, 1), wide, rng));
        let by_channel = normed(UnbiasedConv::depthwise(wide, 3).stride(stride), wide, rng);
        let narrow = UnbiasedConv::new(wide, to, 1).build(rng);
        let mut norm = BatchNorm::new(to);
        if is_residual {
            norm.weight = norm.weight.zeros_like();
        }
        let conv: Box<dyn Layer> = match expand {
            Some(expand) => Box::new((expand, by_channel, narrow, norm)),
            None => Box::new((by_channel, narrow, norm)),
        };
        InvertedResidual { conv, is_residual }
    }
}

impl Layer for InvertedResidual {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let y = self.conv.forward(input, context);
        if self.is_residual { input + y } else { y }
    }
}
