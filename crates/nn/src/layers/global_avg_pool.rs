//! The mean of each channel.

use gyrus_graph::ops::reduction::Reduction;
use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// The mean of each channel over all spatial axes, which disappear.
///
/// # Shapes
/// `[N, C, spatial..]` to `[N, C]`.
#[derive(Clone, Copy, Debug, Module)]
pub struct GlobalAvgPool;

impl Layer for GlobalAvgPool {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let x = input.value();
        assert!(x.rank() >= 3, "global_avg_pool: input {}: must be [N, C, spatial..]", x.spec());
        let axes: Vec<usize> = (2..x.rank()).collect();
        let count: usize = x.shape()[2..].iter().product();
        let sum = x.reduce(Reduction::Sum, &axes);
        sum.mul(&sum.full_like(1.0 / count as f64)).into()
    }
}
