//! A network found by search, without the parts that small devices dislike.

use gyrus_nn::layers::{Activation, BatchNorm, Conv2d, Dropout, GlobalAvgPool, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits, push_map};
use crate::unbiased_conv::UnbiasedConv;

/// The stages: blocks, kernel size, stride of the first block, expansion, channels.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];

/// EfficientNet-Lite0: the blocks of [`MobileNetV2`](crate::MobileNetV2) with kernels of 3x3 and 5x5, without squeeze
/// and excitation, with `min(max(x, 0), 6)` as the activation. Convolutions are padded so that `size` pixels become
/// `ceil(size / stride)`, the odd one at the end, as TensorFlow does.
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`, of the height and width it was made for.
///
/// # Source
/// Tan, Le, EfficientNet (2019), table 1; the Lite models of the TensorFlow authors (2020). Names and layout are those
/// of the PyPI package `efficientnet-lite-pytorch`. Deviations: running statistics move by a tenth in each step, not by
/// a hundredth, so that they follow in short trainings, and whole blocks are not dropped at random.
#[derive(Module)]
pub struct EfficientNetLite0 {
    _conv_stem: Conv2d,
    _bn0: BatchNorm,
    _blocks: Vec<Block>,
    _conv_head: Conv2d,
    _bn1: BatchNorm,
    _dropout: Dropout,
    _fc: Linear,
}

impl EfficientNetLite0 {
    /// For images of this height and width in pixels, with a first convolution of stride `stem_stride`: 2 as
    /// published, 1 for images of some 32x32 pixels.
    pub fn new(
        num_classes: usize,
        in_channels: usize,
        image_size: [usize; 2],
        stem_stride: usize,
        rng: &mut Rng,
    ) -> EfficientNetLite0 {
        let mut size = image_size;
        let stem = UnbiasedConv::new(in_channels, 32, 3);
        let conv_stem = keeping_size(stem, 3, stem_stride, &mut size).build(rng);
        let (mut from, mut blocks) = (32, vec![]);
        for (num_blocks, kernel_size, stride, expansion, to) in STAGES {
            for index in 0..num_blocks {
                let stride = if index == 0 { stride } else { 1 };
                blocks.push(Block::new([from, from * expansion, to], kernel_size, stride, &mut size, rng));
                from = to;
            }
        }
        EfficientNetLite0 {
            _conv_stem: conv_stem,
            _bn0: norm(32),
            _blocks: blocks,
            _conv_head: UnbiasedConv::new(from, 1280, 1).build(rng),
            _bn1: norm(1280),
            _dropout: Dropout::new(0.2),
            _fc: Linear::new(1280, num_classes, rng),
        }
    }
}

impl Layer for EfficientNetLite0 {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for EfficientNetLite0 {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let mut x = activated(&self._conv_stem, &self._bn0, images, context);
        let mut maps = vec![x.clone()];
        for block in &self._blocks {
            x = block.forward(&x, context);
            push_map(&mut maps, x.clone());
        }
        push_map(&mut maps, activated(&self._conv_head, &self._bn1, &x, context));
        maps
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        let x = self._dropout.forward(&GlobalAvgPool.forward(last, context), context);
        self._fc.forward(&x, context)
    }
}

#[derive(Module)]
struct Block {
    _expand_conv: Option<Conv2d>,
    _bn0: Option<BatchNorm>,
    _depthwise_conv: Conv2d,
    _bn1: BatchNorm,
    _project_conv: Conv2d,
    _bn2: BatchNorm,
    is_residual: bool,
}

impl Block {
    /// Through these numbers of channels, on maps of a size that the stride changes.
    fn new(
        [from, wide, to]: [usize; 3],
        kernel_size: usize,
        stride: usize,
        size: &mut [usize; 2],
        rng: &mut Rng,
    ) -> Block {
        let (expands, is_residual) = (wide != from, stride == 1 && from == to);
        let by_channel = UnbiasedConv::depthwise(wide, kernel_size);
        let mut last = norm(to);
        if is_residual {
            last.weight = last.weight.zeros_like();
        }
        Block {
            _expand_conv: expands.then(|| UnbiasedConv::new(from, wide, 1).build(rng)),
            _bn0: expands.then(|| norm(wide)),
            _depthwise_conv: keeping_size(by_channel, kernel_size, stride, size).build(rng),
            _bn1: norm(wide),
            _project_conv: UnbiasedConv::new(wide, to, 1).build(rng),
            _bn2: last,
            is_residual,
        }
    }
}

impl Layer for Block {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let mut x = match (&self._expand_conv, &self._bn0) {
            (Some(conv), Some(norm)) => activated(conv, norm, input, context),
            _ => input.clone(),
        };
        x = activated(&self._depthwise_conv, &self._bn1, &x, context);
        x = self._bn2.forward(&self._project_conv.forward(&x, context), context);
        if self.is_residual { input + x } else { x }
    }
}

fn activated(conv: &Conv2d, norm: &BatchNorm, x: &Tensor, context: &mut Context) -> Tensor {
    Activation::Relu6.apply(&norm.forward(&conv.forward(x, context), context))
}

fn norm(num_features: usize) -> BatchNorm {
    BatchNorm::new(num_features).eps(1e-3)
}

/// Pads a convolution so that maps of `size` become those of `ceil(size / stride)`, which `size` then is.
fn keeping_size(conv: UnbiasedConv, kernel_size: usize, stride: usize, size: &mut [usize; 2]) -> UnbiasedConv {
    let padding = size.map(|size| {
        let total = ((size.div_ceil(stride) - 1) * stride + kernel_size).saturating_sub(size);
        (total / 2, total - total / 2)
    });
    *size = size.map(|size| size.div_ceil(stride));
    conv.stride(stride).padding(padding)
}
