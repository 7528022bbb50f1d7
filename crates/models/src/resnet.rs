//! Residual networks.

use gyrus_nn::layers::{BatchNorm, Conv2d, GlobalAvgPool, Linear, MaxPool2d};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits, push_map};
use crate::unbiased_conv::UnbiasedConv;

/// What comes before the stages of a [`ResNet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Module)]
pub enum ResNetStem {
    /// Of photographs: a convolution 7x7 and max pooling 3x3, each of stride 2.
    Large,
    /// Of images of some 32x32 pixels: a convolution 3x3 of stride 1, no pooling.
    Small,
}

/// Options of [`ResNet`].
#[derive(Clone, Debug, PartialEq)]
pub struct ResNetConfig {
    /// The numbers of blocks of the four stages.
    pub num_blocks: [usize; 4],
    /// Whether a block is three convolutions, 1x1, 3x3 and 1x1 with four times the channels, or two of 3x3.
    pub is_bottleneck: bool,
    /// What comes before the stages.
    pub stem: ResNetStem,
    /// The channels of an image: 1 for grey levels, 3 for colours.
    pub in_channels: usize,
    /// The number of classes.
    pub num_classes: usize,
}

impl ResNetConfig {
    /// ResNet-18.
    pub fn resnet18(num_classes: usize, in_channels: usize, stem: ResNetStem) -> Self {
        ResNetConfig { num_blocks: [2, 2, 2, 2], is_bottleneck: false, stem, in_channels, num_classes }
    }

    /// ResNet-34.
    pub fn resnet34(num_classes: usize, in_channels: usize, stem: ResNetStem) -> Self {
        ResNetConfig { num_blocks: [3, 4, 6, 3], ..ResNetConfig::resnet18(num_classes, in_channels, stem) }
    }

    /// ResNet-50, with the stride in the convolution of 3x3.
    pub fn resnet50(num_classes: usize, in_channels: usize, stem: ResNetStem) -> Self {
        ResNetConfig { is_bottleneck: true, ..ResNetConfig::resnet34(num_classes, in_channels, stem) }
    }
}

/// A residual network: a stem, four stages of blocks with 64, 128, 256 and 512 channels (four times that behind
/// bottlenecks), each stage but the first of half the height and width, the mean over the places, a linear layer.
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`, of any height and width.
///
/// # Source
/// He et al., Deep Residual Learning for Image Recognition (2015), table 1; small images as in section 4.2; the stride
/// of bottlenecks, names and initial values as in torchvision, but that the last normalisation of each block starts at
/// 0, so that blocks start as the identity: Goyal et al., Accurate, Large Minibatch SGD (2017), section 5.1.
#[derive(Module)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    fc: Linear,
    stem: ResNetStem,
}

impl ResNet {
    /// With these options.
    pub fn new(config: &ResNetConfig, rng: &mut Rng) -> ResNet {
        let &ResNetConfig { num_blocks, is_bottleneck, stem, in_channels, num_classes } = config;
        let (kernel_size, stride) = match stem {
            ResNetStem::Large => (7, 2),
            ResNetStem::Small => (3, 1),
        };
        let conv1 = UnbiasedConv::new(in_channels, 64, kernel_size).stride(stride).build(rng);
        let mut channels = 64;
        let mut stage = |index: usize| -> Vec<Block> {
            let width = 64 << index;
            let block = |first: bool| {
                let stride = if first && index > 0 { 2 } else { 1 };
                let block = Block::new(channels, width, stride, is_bottleneck, rng);
                channels = block.out_channels();
                block
            };
            (0..num_blocks[index]).map(|position| position == 0).map(block).collect()
        };
        let [layer1, layer2, layer3, layer4] = [stage(0), stage(1), stage(2), stage(3)];
        let fc = Linear::new(channels, num_classes, rng);
        ResNet { conv1, bn1: BatchNorm::new(64), layer1, layer2, layer3, layer4, fc, stem }
    }
}

impl Layer for ResNet {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for ResNet {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let mut x = self.bn1.forward(&self.conv1.forward(images, context), context).relu();
        let mut maps = vec![x.clone()];
        if self.stem == ResNetStem::Large {
            x = MaxPool2d::new(3).stride(2).padding(1).forward(&x, context);
        }
        for block in [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().flatten() {
            x = block.forward(&x, context);
            push_map(&mut maps, x.clone());
        }
        maps
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        self.fc.forward(&GlobalAvgPool.forward(last, context), context)
    }
}

/// `relu(convolutions(x) + shortcut(x))`. The third convolution makes a bottleneck of the block.
#[derive(Module)]
struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Option<Conv2d>,
    bn3: Option<BatchNorm>,
    downsample: Option<(Conv2d, BatchNorm)>,
}

impl Block {
    fn new(from: usize, width: usize, stride: usize, is_bottleneck: bool, rng: &mut Rng) -> Block {
        let to = if is_bottleneck { 4 * width } else { width };
        let mut block = if is_bottleneck {
            Block {
                conv1: UnbiasedConv::new(from, width, 1).build(rng),
                bn1: BatchNorm::new(width),
                conv2: UnbiasedConv::new(width, width, 3).stride(stride).build(rng),
                bn2: BatchNorm::new(width),
                conv3: Some(UnbiasedConv::new(width, to, 1).build(rng)),
                bn3: Some(BatchNorm::new(to)),
                downsample: None,
            }
        } else {
            Block {
                conv1: UnbiasedConv::new(from, width, 3).stride(stride).build(rng),
                bn1: BatchNorm::new(width),
                conv2: UnbiasedConv::new(width, width, 3).build(rng),
                bn2: BatchNorm::new(width),
                conv3: None,
                bn3: None,
                downsample: None,
            }
        };
        let last = block.bn3.as_mut().unwrap_or(&mut block.bn2);
        last.weight = last.weight.zeros_like();
        if stride != 1 || from != to {
            block.downsample = Some((UnbiasedConv::new(from, to, 1).stride(stride).build(rng), BatchNorm::new(to)));
        }
        block
    }

    fn out_channels(&self) -> usize {
        self.conv3.as_ref().unwrap_or(&self.conv2).out_channels()
    }
}

impl Layer for Block {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let mut x = self.bn1.forward(&self.conv1.forward(input, context), context).relu();
        x = self.bn2.forward(&self.conv2.forward(&x, context), context);
        if let (Some(conv3), Some(bn3)) = (&self.conv3, &self.bn3) {
            x = bn3.forward(&conv3.forward(&x.relu(), context), context);
        }
        (x + self.downsample.forward(input, context)).relu()
    }
}
