//! A network that goes down to coarse maps and up again, past what it saw on the way.

use gyrus_nn::layers::{Activation, BatchNorm, Conv2d, MaxPool2d, Upsample};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

/// Options of [`UNet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UNetConfig {
    /// The channels of an image: 1 for grey levels, 3 for colours.
    pub in_channels: usize,
    /// The numbers that are given for each pixel.
    pub out_channels: usize,
    /// The channels of the finest level; each level below has twice those of the one above.
    pub width: usize,
    /// How often height and width are halved.
    pub depth: usize,
}

impl UNetConfig {
    /// As published: width 64, depth 4.
    pub fn new(in_channels: usize, out_channels: usize) -> Self {
        UNetConfig { in_channels, out_channels, width: 64, depth: 4 }
    }
}

/// Two convolutions 3x3 that keep the size, each normalised and rectified.
type DoubleConv = (Conv2d, BatchNorm, Activation, Conv2d, BatchNorm, Activation);

/// The U-Net: levels of two convolutions 3x3 with max pooling between them on the way down; on the way up, each level's
/// result is made larger and joined with what was on that level on the way down; a convolution 1x1 at the end.
///
/// # Shapes
/// `[N, in_channels, H, W]` to `[N, out_channels, H, W]`, of any height and width: what `2^depth` does not divide is
/// padded by 0 at the right and at the bottom, and cut off again.
///
/// # Source
/// Ronneberger et al., U-Net (2015), figure 1, with the changes that became usual: batch normalisation, convolutions that
/// keep the size, and nearest interpolation in place of transposed convolutions. `scripts/bench/torch_unet.py` is the
/// same network in PyTorch: layers, names, initial values.
#[derive(Module)]
pub struct UNet {
    down: Vec<DoubleConv>,
    up: Vec<DoubleConv>,
    output: Conv2d,
}

impl UNet {
    /// With these options.
    pub fn new(config: &UNetConfig, rng: &mut Rng) -> UNet {
        let &UNetConfig { in_channels, out_channels, width, depth } = config;
        let channels = |level: usize| width << level;
        let mut down = vec![double_conv(in_channels, width, rng)];
        down.extend((1..=depth).map(|level| double_conv(channels(level - 1), channels(level), rng)));
        let up = (0..depth).rev().map(|level| double_conv(channels(level + 1) + channels(level), channels(level), rng));
        let up = up.collect();
        UNet { down, up, output: Conv2d::new(width, out_channels, 1, rng) }
    }
}

fn double_conv(from: usize, to: usize, rng: &mut Rng) -> DoubleConv {
    let mut conv = |from| Conv2d::builder(from, to, 3).padding(1).bias(false).build(rng);
    (conv(from), BatchNorm::new(to), Activation::Relu, conv(to), BatchNorm::new(to), Activation::Relu)
}

impl Layer for UNet {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        assert!(input.rank() == 4, "unet: input {}: must have 4 axes, [N, C, H, W]", input.spec());
        let [height, width] = [input.shape()[2], input.shape()[3]];
        let missing = |size: usize| (size.next_multiple_of(1 << self.up.len()) - size) as i64;
        let padding = [(0, missing(height)), (0, missing(width))];
        let is_padded = padding != [(0, 0); 2];
        let mut x = if is_padded { input.pad(&padding, 0.0) } else { input.clone() };

        let mut passed = vec![];
        for (level, block) in self.down.iter().enumerate() {
            if level > 0 {
                passed.push(x.clone());
                x = MaxPool2d::new(2).forward(&x, context);
            }
            x = block.forward(&x, context);
        }
        for block in &self.up {
            let larger = Upsample::nearest(2).forward(&x, context);
            let beside = passed.pop().expect("as many levels up as down");
            x = block.forward(&Tensor::cat(&[&larger, &beside], 1), context);
        }
        x = self.output.forward(&x, context);
        if is_padded { x.pad(&padding.map(|(_, after)| (0, -after)), 0.0) } else { x }
    }
}
