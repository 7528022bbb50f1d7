//! Pooling by the mean.

use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::ops::window::Window;
use gyrus_tensor::Tensor;

use super::{Padding, PerAxis};
use crate::{Context, Layer, Module};

/// The mean under a moving window, in each channel: `y[n, c, p..] = mean over k.. of
/// x[n, c, p * stride + k - padding..]`. What lies outside counts as 0, as PyTorch has it by default.
///
/// # Shapes
/// `[N, C, spatial..]` to `[N, C, out..]`, where `out = (spatial + padding - kernel_size) / stride + 1`, rounded
/// down.
#[derive(Clone, Debug, Module)]
pub struct AvgPool<const N: usize> {
    #[module(skip)]
    window: Window,
}

/// Over `[N, C, T]`.
pub type AvgPool1d = AvgPool<1>;
/// Over `[N, C, H, W]`.
pub type AvgPool2d = AvgPool<2>;
/// Over `[N, C, D, H, W]`.
pub type AvgPool3d = AvgPool<3>;

impl<const N: usize> AvgPool<N> {
    /// Windows side by side, without padding.
    pub fn new(kernel_size: impl Into<PerAxis<N>>) -> Self {
        AvgPool { window: Window::tiles(&kernel_size.into().0) }
    }

    /// The distance between neighbouring places of the window.
    pub fn stride(mut self, stride: impl Into<PerAxis<N>>) -> Self {
        self.window.stride = stride.into().0.to_vec();
        self
    }

    /// By how much the window may leave the input. For [`Padding::Same`], set the stride before.
    #[track_caller]
    pub fn padding(mut self, padding: impl Into<Padding<N>>) -> Self {
        let sizes = |list: &[usize]| PerAxis(std::array::from_fn(|axis| list[axis]));
        let Window { size, stride, .. } = &self.window;
        self.window.padding = padding.into().resolve(sizes(size), sizes(stride), 1.into());
        self
    }
}

impl<const N: usize> Layer for AvgPool<N> {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let x = input.value();
        assert!(x.rank() == N + 2, "avg_pool{N}d: input {}: must have {} axes, [N, C, spatial..]", x.spec(), N + 2);
        let sum = Tensor::from(x.reduce_window(Reduction::Sum, self.window.clone()));
        sum * (1.0 / self.window.size.iter().product::<usize>() as f64)
    }
}
