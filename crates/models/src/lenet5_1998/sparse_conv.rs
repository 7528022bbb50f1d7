//! Layer C3.

use gyrus_graph::ops::contraction::ConvolutionWindow;
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor};

/// Which maps of S2 each map of C3 sees: table I of the paper.
const CONNECTIONS: [&[usize]; 16] = [
    &[0, 1, 2],
    &[1, 2, 3],
    &[2, 3, 4],
    &[3, 4, 5],
    &[0, 4, 5],
    &[0, 1, 5],
    &[0, 1, 2, 3],
    &[1, 2, 3, 4],
    &[2, 3, 4, 5],
    &[0, 3, 4, 5],
    &[0, 1, 4, 5],
    &[0, 1, 2, 5],
    &[0, 1, 3, 4],
    &[1, 2, 4, 5],
    &[0, 2, 3, 5],
    &[0, 1, 2, 3, 4, 5],
];

/// The number of maps of S2.
const IN_MAPS: usize = 6;
/// Height and width of a kernel.
const KERNEL: usize = 5;

/// A convolution in which each of 16 maps sees some of the 6 maps before, by table I of the paper.
///
/// # Shapes
/// `[N, 6, H, W]` to `[N, 16, H - 4, W - 4]`; `weight` `[60, 5, 5]`, a kernel for each connection, those of the
/// first map first; `bias` `[16]`.
#[derive(Clone, Debug, Module)]
pub struct SparseConv {
    /// `[60, 5, 5]`.
    pub weight: Tensor,
    /// `[16]`.
    pub bias: Tensor,
}

impl SparseConv {
    /// With initial values evenly over `±2.4 / fan_in`, which depends on the number of connections.
    pub fn new(rng: &mut Rng) -> Self {
        let (mut kernel_bounds, mut bias_bounds) = (vec![], vec![]);
        for inputs in CONNECTIONS {
            let bound = 2.4 / (inputs.len() * KERNEL * KERNEL) as f32;
            kernel_bounds.extend(inputs.iter().map(|_| bound));
            bias_bounds.push(bound);
        }
        let num_kernels = kernel_bounds.len();
        let units = |shape: &[usize], rng: &mut Rng| rng.uniform(shape, DType::F32, -1.0, 1.0);
        let weight =
            units(&[num_kernels, KERNEL, KERNEL], rng) * Tensor::from_slice([num_kernels, 1, 1], &kernel_bounds);
        let bias = units(&[CONNECTIONS.len()], rng) * Tensor::from_slice([CONNECTIONS.len()], &bias_bounds);
        SparseConv { weight, bias }
    }

    /// `[16, 6, 5, 5]`, with zeros where there is no connection.
    fn full_weight(&self) -> Tensor {
        // Kernel 0 is the one of no connection.
        let mut chosen = [[0i64; IN_MAPS]; CONNECTIONS.len()];
        let connections =
            CONNECTIONS.iter().enumerate().flat_map(|(map, inputs)| inputs.iter().map(move |&i| (map, i)));
        for (index, (map, input)) in connections.enumerate() {
            chosen[map][input] = index as i64 + 1;
        }
        let chosen = Tensor::from_slice([CONNECTIONS.len(), IN_MAPS], chosen.as_flattened());
        let weight = self.weight.value();
        let kernels = weight.pad(&weight.zero(), &[1, 0, 0], &[0; 3], &[0; 3]);
        kernels.take(0, chosen.value()).into()
    }
}

impl Layer for SparseConv {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let x = input.value();
        assert!(
            x.rank() == 4 && x.shape()[1] == IN_MAPS,
            "sparse_conv: input {}: must be [N, C, H, W] with {IN_MAPS} channels",
            x.spec()
        );
        let y = x.conv(self.full_weight().value(), ConvolutionWindow::new(2));
        y.add(&self.bias.value().broadcast(y.shape(), &[1])).into()
    }
}
