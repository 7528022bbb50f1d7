//! The convolution that a batch normalisation follows.

use gyrus_nn::init::Init;
use gyrus_nn::layers::{Conv2d, ConvBuilder};
use gyrus_tensor::Rng;

/// A convolution without a bias, which the normalisation after it would take away again: padded by `kernel_size / 2`
/// unless the builder is told otherwise, its weight normal with variance `2 groups / (out_channels kernel_size²)`.
///
/// # Source
/// He et al., Delving Deep into Rectifiers (2015), equation 14: the variance of gradients is kept.
pub(crate) struct UnbiasedConv {
    builder: ConvBuilder<2>,
    fan_out: usize,
}

impl UnbiasedConv {
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: usize) -> Self {
        let builder = Conv2d::builder(in_channels, out_channels, kernel_size).padding(kernel_size / 2).bias(false);
        UnbiasedConv { builder, fan_out: out_channels * kernel_size * kernel_size }
    }

    /// Of each channel by itself, which needs as many inputs as outputs.
    pub fn depthwise(channels: usize, kernel_size: usize) -> Self {
        let UnbiasedConv { builder, .. } = UnbiasedConv::new(channels, channels, kernel_size);
        UnbiasedConv { builder: builder.groups(channels), fan_out: kernel_size * kernel_size }
    }

    pub fn stride(self, stride: usize) -> Self {
        UnbiasedConv { builder: self.builder.stride(stride), ..self }
    }

    /// With the padding that keeps the size of a kernel of 3x3.
    pub fn dilation(self, dilation: usize) -> Self {
        UnbiasedConv { builder: self.builder.dilation(dilation).padding(dilation), ..self }
    }

    pub fn padding(self, padding: [(usize, usize); 2]) -> Self {
        UnbiasedConv { builder: self.builder.padding(padding), ..self }
    }

    pub fn build(self, rng: &mut Rng) -> Conv2d {
        let standard_deviation = (2.0 / self.fan_out as f64).sqrt();
        self.builder.init(Init::Normal { mean: 0.0, standard_deviation }).build(rng)
    }
}
