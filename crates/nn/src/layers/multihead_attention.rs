//! Attention of a sequence to itself.

use gyrus_graph::Real;
use gyrus_graph::ops::whole;
use gyrus_tensor::{DType, Rng, Tensor};

use super::Linear;
use crate::init::Init;
use crate::{Context, Layer, Module};

/// Self-attention of several heads: the input is projected to queries, keys and values, each head attends with
/// `softmax(q kᵀ / sqrt(head_dim)) v`, and the heads side by side are projected once more.
///
/// # Shapes
/// `[B, T, embed_dim]` to the same; `in_proj_weight` `[3 embed_dim, embed_dim]`, `in_proj_bias` `[3 embed_dim]`.
///
/// # Source
/// Vaswani et al., Attention Is All You Need (2017), section 3.2; names and initial values as in PyTorch.
#[derive(Clone, Debug, Module)]
pub struct MultiheadAttention {
    /// Of queries, keys and values, one below the other.
    pub in_proj_weight: Tensor,
    /// Of queries, keys and values, one after the other.
    pub in_proj_bias: Tensor,
    /// Of the heads' results.
    pub out_proj: Linear,
    num_heads: usize,
    causal: bool,
}

impl MultiheadAttention {
    /// With `num_heads` heads of `embed_dim / num_heads` features each.
    ///
    /// # Panics
    /// If the heads do not divide the features.
    #[track_caller]
    pub fn new(embed_dim: usize, num_heads: usize, rng: &mut Rng) -> Self {
        assert!(
            num_heads > 0 && embed_dim.is_multiple_of(num_heads),
            "multihead_attention: num_heads ({num_heads}) must divide embed_dim ({embed_dim})"
        );
        MultiheadAttention {
            in_proj_weight: Init::XavierUniform { gain: 1.0 }.draw([3 * embed_dim, embed_dim], rng),
            in_proj_bias: Tensor::zeros([3 * embed_dim], DType::F32),
            out_proj: Linear::builder(embed_dim, embed_dim).bias_init(Init::Zeros).build(rng),
            num_heads,
            causal: false,
        }
    }

    /// Whether each place attends only to itself and those before it.
    #[must_use]
    pub fn causal(self, causal: bool) -> Self {
        MultiheadAttention { causal, ..self }
    }
}

impl Layer for MultiheadAttention {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let embed_dim = self.out_proj.in_features();
        let &[batch, length, features] = &input.shape()[..] else {
            panic!("multihead_attention: input {}: must have 3 axes, [B, T, embed_dim]", input.spec())
        };
        assert!(
            features == embed_dim,
            "multihead_attention: input {}: the last axis must have embed_dim ({embed_dim}) elements",
            input.spec()
        );
        let (heads, size) = (self.num_heads, embed_dim / self.num_heads);
        let in_proj = Linear { weight: self.in_proj_weight.clone(), bias: Some(self.in_proj_bias.clone()) };
        let qkv = in_proj.forward(input, context).reshape([batch, length, 3, heads, size]).permute([2, 0, 3, 1, 4]);
        let [q, k, v] = [0, 1, 2].map(|part| qkv.index_axis(0, part));
        let scale = Real(1.0 / (size as f64).sqrt());
        let op = whole::Attention { scale, causal: self.causal, precision: context.precision() };
        let attended = Tensor::from(q.value().attention(k.value(), v.value(), None, op));
        self.out_proj.forward(&attended.permute([0, 2, 1, 3]).reshape([batch, length, embed_dim]), context)
    }
}
