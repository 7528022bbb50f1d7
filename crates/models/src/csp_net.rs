//! Networks that detectors are made of.

use gyrus_nn::layers::{Activation, BatchNorm, Conv2d, GlobalAvgPool, Linear, MaxPool2d};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::image_model::{ImageModel, logits};
use crate::unbiased_conv::UnbiasedConv;

/// A convolution, batch normalisation, `x sigmoid(x)`.
pub(crate) type Unit = (Conv2d, BatchNorm, Activation);

/// A [`Unit`] of this kernel size and stride.
pub(crate) fn unit(from: usize, to: usize, kernel_size: usize, stride: usize, rng: &mut Rng) -> Unit {
    let conv = UnbiasedConv::new(from, to, kernel_size).stride(stride).build(rng);
    (conv, BatchNorm::new(to), Activation::Silu)
}

/// The numbers of a [`CspNet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CspNetConfig {
    /// The channels behind the first convolution and behind each of the four stages, all even.
    pub widths: [usize; 5],
    /// The residual blocks of each stage.
    pub depths: [usize; 4],
}

impl CspNetConfig {
    /// 16 to 256 channels.
    pub const NANO: CspNetConfig = CspNetConfig { widths: [16, 32, 64, 128, 256], depths: [1, 2, 2, 1] };
    /// 32 to 512 channels.
    pub const SMALL: CspNetConfig = CspNetConfig { widths: [32, 64, 128, 256, 512], depths: [1, 2, 2, 1] };
    /// 48 to 576 channels, twice as deep.
    pub const MEDIUM: CspNetConfig = CspNetConfig { widths: [48, 96, 192, 384, 576], depths: [2, 4, 4, 2] };
}

/// A residual network whose stages let half of the channels past: a convolution 3x3 of stride 2, then four stages, each
/// of a convolution 3x3 of stride 2 and a [`CspBlock`], at the end pooling over three extents. All convolutions but
/// those that mix channels are plain ones of 3x3, which processors do fast.
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`, of any height and width.
///
/// # Source
/// Wang et al., CSPNet (2020), figure 3b; the arrangement of stages as in Ge et al., YOLOX (2021).
#[derive(Module)]
pub struct CspNet {
    stem: Unit,
    stages: Vec<(Unit, CspBlock)>,
    pooling: PyramidPooling,
    fc: Linear,
}

impl CspNet {
    /// With these numbers of channels and blocks.
    pub fn new(config: &CspNetConfig, num_classes: usize, in_channels: usize, rng: &mut Rng) -> CspNet {
        let &CspNetConfig { widths, depths } = config;
        let stem = unit(in_channels, widths[0], 3, 2, rng);
        let stage = |(index, pair): (usize, &[usize])| {
            (unit(pair[0], pair[1], 3, 2, rng), CspBlock::new(pair[1], pair[1], depths[index], true, rng))
        };
        let stages = widths.windows(2).enumerate().map(stage).collect();
        let pooling = PyramidPooling::new(widths[4], rng);
        CspNet { stem, stages, pooling, fc: Linear::new(widths[4], num_classes, rng) }
    }
}

impl Layer for CspNet {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for CspNet {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let mut maps = vec![self.stem.forward(images, context)];
        for stage in &self.stages {
            let map = stage.forward(maps.last().expect("the stem's"), context);
            maps.push(map);
        }
        let last = maps.last_mut().expect("of four stages");
        *last = self.pooling.forward(last, context);
        maps
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        self.fc.forward(&GlobalAvgPool.forward(last, context), context)
    }
}

/// Half of the channels go through residual blocks of two convolutions 3x3, half past them; both are mixed at the end.
///
/// # Shapes
/// `[N, from, H, W]` to `[N, to, H, W]`.
#[derive(Module)]
pub(crate) struct CspBlock {
    through: Unit,
    past: Unit,
    blocks: Vec<(Unit, Unit)>,
    mix: Unit,
    is_residual: bool,
}

impl CspBlock {
    /// With so many blocks, each with a connection past it if `is_residual`.
    pub fn new(from: usize, to: usize, num_blocks: usize, is_residual: bool, rng: &mut Rng) -> CspBlock {
        let half = to / 2;
        CspBlock {
            through: unit(from, half, 1, 1, rng),
            past: unit(from, half, 1, 1, rng),
            blocks: (0..num_blocks).map(|_| (unit(half, half, 3, 1, rng), unit(half, half, 3, 1, rng))).collect(),
            mix: unit(2 * half, to, 1, 1, rng),
            is_residual,
        }
    }
}

impl Layer for CspBlock {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let mut x = self.through.forward(input, context);
        for block in &self.blocks {
            let y = block.forward(&x, context);
            x = if self.is_residual { x + y } else { y };
        }
        let past = self.past.forward(input, context);
        self.mix.forward(&Tensor::cat(&[x, past], 1), context)
    }
}

/// The greatest of 5x5, 9x9 and 13x13 neighbours beside each feature itself, so that a place knows its surroundings.
///
/// # Source
/// He et al., Spatial Pyramid Pooling (2014), with windows at every place as in Huang et al., DC-SPP-YOLO (2019).
#[derive(Module)]
struct PyramidPooling {
    narrow: Unit,
    mix: Unit,
}

impl PyramidPooling {
    fn new(channels: usize, rng: &mut Rng) -> PyramidPooling {
        PyramidPooling { narrow: unit(channels, channels / 2, 1, 1, rng), mix: unit(2 * channels, channels, 1, 1, rng) }
    }
}

impl Layer for PyramidPooling {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        // Twice and three times over 5x5 neighbours is once over 9x9 and 13x13.
        let pool = MaxPool2d::new(5).stride(1).padding(2);
        let mut maps = vec![self.narrow.forward(input, context)];
        for index in 0..3 {
            let map = pool.forward(&maps[index], context);
            maps.push(map);
        }
        self.mix.forward(&Tensor::cat(&maps, 1), context)
    }
}
