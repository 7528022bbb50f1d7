//! Normalisation of groups of channels.

use gyrus_tensor::{DType, Tensor};

use super::channels::check_channels;
use crate::{Context, Layer, Module};

/// Normalises groups of neighbouring channels of each sample: `y = (x - mean) / sqrt(variance + eps) * weight + bias`, with the
/// group's mean and biased variance, and scale and shift of each channel. The batch does not matter: it may be of one sample.
///
/// # Shapes
/// `[N, num_channels, spatial..]` to the same; parameters `[num_channels]`.
///
/// # Source
/// Wu, He, Group Normalization (2018), equations 1 and 7; `eps` as in PyTorch.
#[derive(Clone, Debug, Module)]
pub struct GroupNorm {
    /// The scale, initially 1.
    pub weight: Tensor,
    /// The shift, initially 0.
    pub bias: Tensor,
    num_groups: usize,
    eps: f64,
}

impl GroupNorm {
    /// With `eps` 1e-5.
    ///
    /// # Panics
    /// If `num_groups` does not divide `num_channels`.
    #[track_caller]
    pub fn new(num_groups: usize, num_channels: usize) -> Self {
        let divides = num_groups > 0 && num_channels.is_multiple_of(num_groups);
        assert!(divides, "group_norm: num_groups ({num_groups}) must divide num_channels ({num_channels})");
        let (weight, bias) = (Tensor::ones([num_channels], DType::F32), Tensor::zeros([num_channels], DType::F32));
        GroupNorm { weight, bias, num_groups, eps: 1e-5 }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f64) -> Self {
        GroupNorm { eps, ..self }
    }
}

impl Layer for GroupNorm {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        check_channels("group_norm", input, 2, "num_channels", self.weight.num_elements());
        input.value().group_norm(self.num_groups, self.weight.value(), self.bias.value(), self.eps).into()
    }
}
