//! Normalisation of each channel of each sample.

use gyrus_tensor::{DType, Tensor};

use super::channels::check_channels;
use crate::{Context, Layer, Module};

/// Normalises each channel of each sample: `y = (x - mean) / sqrt(variance + eps)`, with the biased variance, in training and
/// otherwise; if it is [affine](InstanceNorm::affine), `y * weight + bias`.
///
/// # Shapes
/// `[N, num_features, spatial..]` to the same; parameters `[num_features]`.
///
/// # Source
/// Ulyanov, Vedaldi, Lempitsky, Instance Normalization (2016), equation 2; `eps` as in PyTorch.
#[derive(Clone, Debug, Module)]
pub struct InstanceNorm {
    /// The scale, initially 1.
    pub weight: Option<Tensor>,
    /// The shift, initially 0.
    pub bias: Option<Tensor>,
    num_features: usize,
    eps: f64,
}

impl InstanceNorm {
    /// Without scale and shift, with `eps` 1e-5.
    pub fn new(num_features: usize) -> Self {
        InstanceNorm { weight: None, bias: None, num_features, eps: 1e-5 }
    }

    /// With scale and shift.
    pub fn affine(self) -> Self {
        let (weight, bias) =
            (Tensor::ones([self.num_features], DType::F32), Tensor::zeros([self.num_features], DType::F32));
        InstanceNorm { weight: Some(weight), bias: Some(bias), ..self }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f64) -> Self {
        InstanceNorm { eps, ..self }
    }
}

impl Layer for InstanceNorm {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let (x, num_features) = (input.value(), self.num_features);
        check_channels("instance_norm", input, 3, "num_features", num_features);
        match (&self.weight, &self.bias) {
            (Some(weight), Some(bias)) => x.group_norm(num_features, weight.value(), bias.value(), self.eps),
            _ => x.normalized_groups(num_features, self.eps),
        }
        .into()
    }
}
