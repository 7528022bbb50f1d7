//! Pooling by the mean to a given size.

use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_graph::{DType, Value};
use gyrus_tensor::Tensor;

use super::PerAxis;
use crate::{Context, Layer, Module};

/// The means of `output_size` parts of each spatial axis. Of an axis of `size` elements, part `i` is from
/// `floor(i * size / output_size)` to `ceil((i + 1) * size / output_size)`: neighbours overlap where the sizes do
/// not divide.
///
/// # Shapes
/// `[N, C, spatial..]` to `[N, C, output_size..]`.
#[derive(Clone, Debug, Module)]
pub struct AdaptiveAvgPool<const N: usize> {
    output_size: [usize; N],
}

/// Over `[N, C, T]`.
pub type AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
/// Over `[N, C, H, W]`.
pub type AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
/// Over `[N, C, D, H, W]`.
pub type AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

impl<const N: usize> AdaptiveAvgPool<N> {
    /// To this size of the spatial axes.
    pub fn new(output_size: impl Into<PerAxis<N>>) -> Self {
        AdaptiveAvgPool { output_size: output_size.into().0 }
    }
}

impl<const N: usize> Layer for AdaptiveAvgPool<N> {
    /// One product for each axis, with the weights of its parts: each takes the leading spatial axis away
    /// and puts its parts at the end.
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let x = input.value();
        assert!(
            x.rank() == N + 2 && !x.shape()[2..].contains(&0),
            "adaptive_avg_pool{N}d: input {}: must have {} axes, [N, C, spatial..], none of them empty",
            x.spec(),
            N + 2
        );
        let product = |x: Value, &output_size: &usize| {
            let parts = parts(x.shape()[2], output_size, x.dtype());
            x.dot_general(&parts, DotGeneral { lhs_contract: vec![2], rhs_contract: vec![1], ..DotGeneral::default() })
        };
        self.output_size.iter().fold(x.clone(), product).into()
    }
}

/// `[output_size, size]`: in row `i` one over the number of elements of part `i`, at each of them.
fn parts(size: usize, output_size: usize, dtype: DType) -> Value {
    let mut weights = vec![0.0f64; output_size * size];
    for part in 0..output_size {
        let (start, end) = (part * size / output_size, ((part + 1) * size).div_ceil(output_size));
        weights[part * size..][start..end].fill(1.0 / (end - start) as f64);
    }
    Value::from_elements([output_size, size], &weights).convert(dtype)
}
