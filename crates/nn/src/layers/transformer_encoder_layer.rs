//! A layer of a transformer's encoder.

use gyrus_tensor::{Rng, Tensor};

use super::{Activation, Dropout, LayerNorm, Linear, MultiheadAttention};
use crate::{Context, Layer, Module};

/// Self-attention, then two linear layers for each place, each with dropout, a connection past it and layer
/// normalisation.
///
/// # Shapes
/// `[B, T, d_model]` to the same.
///
/// # Source
/// Vaswani et al., Attention Is All You Need (2017), section 3.1; with `norm_first`, Xiong et al., On Layer
/// Normalization in the Transformer Architecture (2020). Names as in PyTorch.
#[derive(Clone, Debug, Module)]
pub struct TransformerEncoderLayer {
    /// Of the sequence to itself.
    pub self_attn: MultiheadAttention,
    /// To `dim_feedforward` features.
    pub linear1: Linear,
    /// And back.
    pub linear2: Linear,
    /// With the attention.
    pub norm1: LayerNorm,
    /// With the linear layers.
    pub norm2: LayerNorm,
    dropout: Dropout,
    activation: Activation,
    norm_first: bool,
}

impl TransformerEncoderLayer {
    /// With exact GELU, dropout 0.1, and the normalisations last.
    ///
    /// # Panics
    /// If the heads do not divide the features.
    #[track_caller]
    pub fn new(d_model: usize, num_heads: usize, dim_feedforward: usize, rng: &mut Rng) -> Self {
        TransformerEncoderLayer {
            self_attn: MultiheadAttention::new(d_model, num_heads, rng),
            linear1: Linear::new(d_model, dim_feedforward, rng),
            linear2: Linear::new(dim_feedforward, d_model, rng),
            norm1: LayerNorm::new([d_model]),
            norm2: LayerNorm::new([d_model]),
            dropout: Dropout::new(0.1),
            activation: Activation::Gelu,
            norm_first: false,
        }
    }

    /// The probability with which an element is dropped.
    #[must_use]
    pub fn dropout(self, probability: f64) -> Self {
        TransformerEncoderLayer { dropout: Dropout::new(probability), ..self }
    }

    /// The function between the linear layers.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        TransformerEncoderLayer { activation, ..self }
    }

    /// Whether the normalisations come before what they are with, not after.
    #[must_use]
    pub fn norm_first(self, norm_first: bool) -> Self {
        TransformerEncoderLayer { norm_first, ..self }
    }

    /// Whether each place attends only to itself and those before it.
    #[must_use]
    pub fn causal(self, causal: bool) -> Self {
        TransformerEncoderLayer { self_attn: self.self_attn.causal(causal), ..self }
    }

    fn attention(&self, x: &Tensor, context: &mut Context) -> Tensor {
        let y = self.self_attn.forward(x, context);
        self.dropout.forward(&y, context)
    }

    fn feed_forward(&self, x: &Tensor, context: &mut Context) -> Tensor {
        let hidden = self.activation.forward(&self.linear1.forward(x, context), context);
        let y = self.linear2.forward(&self.dropout.forward(&hidden, context), context);
        self.dropout.forward(&y, context)
    }
}

impl Layer for TransformerEncoderLayer {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        if self.norm_first {
            let x = input + &self.attention(&self.norm1.forward(input, context), context);
            let y = self.feed_forward(&self.norm2.forward(&x, context), context);
            return x + y;
        }
        let attended = input + &self.attention(input, context);
        let x = self.norm1.forward(&attended, context);
        let fed = &x + &self.feed_forward(&x, context);
        self.norm2.forward(&fed, context)
    }
}
