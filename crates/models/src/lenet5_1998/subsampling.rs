//! Layers S2 and S4.

use gyrus_nn::layers::AvgPool2d;
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use super::init;

/// Sums over windows of 2x2, times a trained coefficient, plus a trained bias, both one for each map:
/// `y[n, c, h, w] = weight[c] * (sum of x[n, c, 2h..2h+2, 2w..2w+2]) + bias[c]`.
///
/// # Shapes
/// `[N, num_maps, H, W]` to `[N, num_maps, H / 2, W / 2]`, rounded down; parameters `[num_maps]`.
#[derive(Clone, Debug, Module)]
pub struct Subsampling {
    /// The coefficients.
    pub weight: Tensor,
    /// The biases.
    pub bias: Tensor,
}

impl Subsampling {
    /// With initial values evenly over `±2.4 / 4`.
    pub fn new(num_maps: usize, rng: &mut Rng) -> Self {
        let (weight, bias) = (init(4).draw([num_maps], rng), init(4).draw([num_maps], rng));
        Subsampling { weight, bias }
    }
}

impl Layer for Subsampling {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (shape, num_maps) = (input.shape(), self.weight.num_elements());
        assert!(
            shape.rank() == 4 && shape[1] == num_maps,
            "subsampling: input {}: must be [N, C, H, W] with num_maps ({num_maps}) channels",
            input.spec()
        );
        let mean = AvgPool2d::new(2).forward(input, context);
        let along_maps = |parameter: &Tensor| Tensor::from(parameter.value().broadcast(mean.shape(), &[1]));
        &mean * 4.0 * along_maps(&self.weight) + along_maps(&self.bias)
    }
}
