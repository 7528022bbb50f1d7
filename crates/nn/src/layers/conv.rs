//! Convolution.

use gyrus_graph::ops::contraction::ConvolutionWindow;
use gyrus_tensor::{Rng, Tensor};

use super::{Padding, PerAxis};
use crate::init::Init;
use crate::{Context, Layer, Module};

/// Convolution over `N` spatial axes, in the sense of the field, a cross-correlation:
/// `y[n, o, p..] = bias[o] + sum over c, k.. of x[n, c, p * stride + k * dilation - padding..] weight[o, c, k..]`,
/// where `c` runs over the channels of `o`'s group, and `x` is 0 outside.
///
/// # Shapes
/// `[N, in_channels, spatial..]` to `[N, out_channels, out..]`, where
/// `out = (spatial + padding - dilation * (kernel_size - 1) - 1) / stride + 1`, rounded down; `weight`
/// `[out_channels, in_channels / groups, kernel_size..]`, `bias` `[out_channels]`.
#[derive(Clone, Debug, Module)]
pub struct Conv<const N: usize> {
    /// `[out_channels, in_channels / groups, kernel_size..]`.
    pub weight: Tensor,
    /// `[out_channels]`.
    pub bias: Option<Tensor>,
    #[module(skip)]
    window: ConvolutionWindow,
}

/// Over `[N, C, T]`.
pub type Conv1d = Conv<1>;
/// Over `[N, C, H, W]`.
pub type Conv2d = Conv<2>;
/// Over `[N, C, D, H, W]`.
pub type Conv3d = Conv<3>;

impl<const N: usize> Conv<N> {
    /// With a bias, stride 1, no padding, and initial values evenly over `±1 / sqrt(fan_in)`.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<PerAxis<N>>, rng: &mut Rng) -> Self {
        Self::builder(in_channels, out_channels, kernel_size).build(rng)
    }

    /// To choose the options.
    pub fn builder(in_channels: usize, out_channels: usize, kernel_size: impl Into<PerAxis<N>>) -> ConvBuilder<N> {
        ConvBuilder {
            in_channels,
            out_channels,
            kernel_size: kernel_size.into(),
            stride: 1.into(),
            padding: 0.into(),
            dilation: 1.into(),
            groups: 1,
            bias: true,
            init: Init::DEFAULT,
            bias_init: None,
        }
    }

    /// The number of channels of inputs.
    pub fn in_channels(&self) -> usize {
        self.weight.shape()[1] * self.window.groups
    }

    /// The number of channels of outputs.
    pub fn out_channels(&self) -> usize {
        self.weight.shape()[0]
    }
}

/// Options of a [`Conv`] layer.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ConvBuilder<const N: usize> {
    in_channels: usize,
    out_channels: usize,
    kernel_size: PerAxis<N>,
    stride: PerAxis<N>,
    padding: Padding<N>,
    dilation: PerAxis<N>,
    groups: usize,
    bias: bool,
    init: Init,
    bias_init: Option<Init>,
}

impl<const N: usize> ConvBuilder<N> {
    /// The distance between neighbouring places of the kernel.
    pub fn stride(self, stride: impl Into<PerAxis<N>>) -> Self {
        ConvBuilder { stride: stride.into(), ..self }
    }

    /// The zeros around the input.
    pub fn padding(self, padding: impl Into<Padding<N>>) -> Self {
        ConvBuilder { padding: padding.into(), ..self }
    }

    /// The distance between neighbouring elements of the kernel.
    pub fn dilation(self, dilation: impl Into<PerAxis<N>>) -> Self {
        ConvBuilder { dilation: dilation.into(), ..self }
    }

    /// Into how many groups channels are divided, each convolved by itself.
    pub fn groups(self, groups: usize) -> Self {
        ConvBuilder { groups, ..self }
    }

    /// Whether a bias is added.
    pub fn bias(self, bias: bool) -> Self {
        ConvBuilder { bias, ..self }
    }

    /// The initial weight.
    pub fn init(self, init: Init) -> Self {
        ConvBuilder { init, ..self }
    }

    /// The initial bias.
    pub fn bias_init(self, init: Init) -> Self {
        ConvBuilder { bias_init: Some(init), ..self }
    }

    /// Draws the initial values.
    ///
    /// # Panics
    /// If a size, stride or dilation is 0, or the groups do not divide the channels.
    #[track_caller]
    pub fn build(self, rng: &mut Rng) -> Conv<N> {
        let ConvBuilder { in_channels, out_channels, kernel_size, stride, padding, dilation, groups, .. } = self;
        assert!(
            [kernel_size, stride, dilation].iter().all(|sizes| !sizes.0.contains(&0)),
            "conv: kernel_size {:?}, stride {:?}, dilation {:?}: must be at least 1",
            kernel_size.0,
            stride.0,
            dilation.0
        );
        assert!(
            groups > 0 && in_channels.is_multiple_of(groups) && out_channels.is_multiple_of(groups),
            "conv: groups ({groups}) must divide in_channels ({in_channels}) and out_channels ({out_channels})"
        );
        let shape = [&[out_channels, in_channels / groups], &kernel_size.0[..]].concat();
        let weight = self.init.draw(&shape[..], rng);
        let bias_init = self.bias_init.unwrap_or_else(|| Init::bias(&shape));
        let bias = self.bias.then(|| bias_init.draw([out_channels], rng));
        let padding = padding.resolve(kernel_size, stride, dilation);
        let window = ConvolutionWindow { stride: stride.0.to_vec(), padding, dilation: dilation.0.to_vec(), groups };
        Conv { weight, bias, window }
    }
}

impl<const N: usize> Layer for Conv<N> {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (x, in_channels) = (input.value(), self.in_channels());
        assert!(
            x.rank() == N + 2 && x.shape()[1] == in_channels,
            "conv{N}d: input {}: must have {} axes, [N, C, spatial..], and in_channels ({in_channels}) channels",
            x.spec(),
            N + 2
        );
        let y = x.conv_with(self.weight.value(), self.window.clone(), context.precision());
        match &self.bias {
            Some(bias) => y.add(&bias.value().broadcast(y.shape(), &[1])).into(),
            None => y.into(),
        }
    }
}
