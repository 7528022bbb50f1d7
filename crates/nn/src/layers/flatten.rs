//! Joining axes.

use gyrus_tensor::Tensor;

use crate::{Context, Layer, Module};

/// Joins all axes but the first, the batch.
///
/// # Shapes
/// `[N, sizes..]` to `[N, product of sizes]`.
#[derive(Clone, Copy, Debug, Module)]
pub struct Flatten;

impl Layer for Flatten {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        assert!(input.rank() >= 1, "flatten: input {}: must have an axis of the batch", input.spec());
        let sizes = input.shape();
        input.value().reshape([sizes[0], sizes[1..].iter().product()]).into()
    }
}
