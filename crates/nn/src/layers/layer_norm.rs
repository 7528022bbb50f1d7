//! Normalisation over the last axes.

use gyrus_tensor::{DType, Shape, Tensor};

use crate::{Context, Layer, Module};

/// Normalises over the last axes: `y = (x - mean) / sqrt(variance + eps) * weight + bias`, with the biased
/// variance.
///
/// # Shapes
/// `[.., normalized_shape..]` to the same; parameters `[normalized_shape..]`.
///
/// # Source
/// Ba, Kiros, Hinton, Layer Normalization (2016); `eps` as in PyTorch.
#[derive(Clone, Debug, Module)]
pub struct LayerNorm {
    /// The scale, initially 1.
    pub weight: Tensor,
    /// The shift, initially 0.
    pub bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// Over axes of these sizes, with `eps` 1e-5.
    ///
    /// # Panics
    /// If there are no axes.
    #[track_caller]
    pub fn new(normalized_shape: impl Into<Shape>) -> Self {
        let shape: Shape = normalized_shape.into();
        assert!(shape.rank() > 0, "layer_norm: normalized_shape {shape}: must have an axis");
        let (weight, bias) = (Tensor::ones(&shape, DType::F32), Tensor::zeros(shape, DType::F32));
        LayerNorm { weight, bias, eps: 1e-5 }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f64) -> Self {
        LayerNorm { eps, ..self }
    }
}

impl Layer for LayerNorm {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        let (x, normalized) = (input.value(), self.weight.shape());
        assert!(
            x.shape().ends_with(normalized),
            "layer_norm: input {}: the last axes must be normalized_shape, {normalized}",
            x.spec()
        );
        let row = [normalized.num_elements()];
        let rows = [&x.shape()[..x.rank() - normalized.rank()], &row].concat();
        let (weight, bias) = (self.weight.value().reshape(row), self.bias.value().reshape(row));
        x.reshape(rows).layer_norm(&weight, &bias, self.eps).reshape(x.shape()).into()
    }
}
