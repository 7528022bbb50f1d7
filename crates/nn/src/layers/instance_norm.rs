//! Normalisation of each channel of each sample.

use gyrus_tensor::{DType, Tensor};

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
        let full = |value: f64| Some(Tensor::full([self.num_features], value, DType::F32));
        InstanceNorm { weight: full(1.0), bias: full(0.0), ..self }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f64) -> Self {
        InstanceNorm { eps, ..self }
    }
}

impl Layer for InstanceNorm {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let (x, num_features) = (input.value(), self.num_features);
        assert!(
            x.rank() >= 3 && x.shape()[1] == num_features,
            "instance_norm: input {}: must be [N, C, spatial..] with num_features ({num_features}) channels",
            x.spec()
        );
        match (&self.weight, &self.bias) {
            (Some(weight), Some(bias)) => x.group_norm(num_features, weight.value(), bias.value(), self.eps),
            _ => x.normalized_groups(num_features, self.eps),
        }
        .into()
    }
}
