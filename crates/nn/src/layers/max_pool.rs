//! Pooling by the greatest element.

use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::ops::window::Window;
use gyrus_tensor::Tensor;

use super::{Padding, PerAxis};
use crate::{Context, Layer, Module};

/// The greatest element under a moving window, in each channel: `y[n, c, p..] = max over k.. of
/// x[n, c, p * stride + k * dilation - padding..]`. What lies outside takes no part. The gradient goes to the
/// first element that is the greatest.
///
/// # Shapes
/// `[N, C, spatial..]` to `[N, C, out..]`, where
/// `out = (spatial + padding - dilation * (kernel_size - 1) - 1) / stride + 1`, rounded down.
#[derive(Clone, Debug, Module)]
pub struct MaxPool<const N: usize> {
    #[module(skip)]
    window: Window,
}

/// Over `[N, C, T]`.
pub type MaxPool1d = MaxPool<1>;
/// Over `[N, C, H, W]`.
pub type MaxPool2d = MaxPool<2>;
/// Over `[N, C, D, H, W]`.
pub type MaxPool3d = MaxPool<3>;

impl<const N: usize> MaxPool<N> {
    /// Windows side by side, without padding.
    pub fn new(kernel_size: impl Into<PerAxis<N>>) -> Self {
        MaxPool { window: Window::tiles(&kernel_size.into().0) }
    }

    /// The distance between neighbouring places of the window.
    pub fn stride(mut self, stride: impl Into<PerAxis<N>>) -> Self {
        self.window.stride = stride.into().0.to_vec();
        self
    }

    /// By how much the window may leave the input. For [`Padding::Same`], set stride and dilation before.
    #[track_caller]
    pub fn padding(mut self, padding: impl Into<Padding<N>>) -> Self {
        let sizes = |list: &[usize]| PerAxis(std::array::from_fn(|axis| list[axis]));
        let Window { size, stride, dilation, .. } = &self.window;
        self.window.padding = padding.into().resolve(sizes(size), sizes(stride), sizes(dilation));
        self
    }

    /// The distance between neighbouring elements of the window.
    pub fn dilation(mut self, dilation: impl Into<PerAxis<N>>) -> Self {
        self.window.dilation = dilation.into().0.to_vec();
        self
    }
}

impl<const N: usize> Layer for MaxPool<N> {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let x = input.value();
        assert!(x.rank() == N + 2, "max_pool{N}d: input {}: must have {} axes, [N, C, spatial..]", x.spec(), N + 2);
        x.reduce_window(Reduction::Max, self.window.clone()).into()
    }
}
