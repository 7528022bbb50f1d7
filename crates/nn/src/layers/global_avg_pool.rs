//! The mean of each channel.

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
        assert!(input.rank() >= 3, "global_avg_pool: input {}: must be [N, C, spatial..]", input.spec());
        input.mean((2..input.rank() as isize).collect::<Vec<isize>>())
    }
}
