//! A transformer of patches.

use gyrus_graph::Real;
use gyrus_graph::ops::whole;
use gyrus_nn::init::Init;
use gyrus_nn::layers::{Activation, Conv2d, LayerNorm, Linear};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor};

use crate::image_model::{ImageModel, logits};

const EMBED_DIM: usize = 192;
const NUM_HEADS: usize = 3;
const DEPTH: usize = 12;

/// The tiny vision transformer: an image is cut into patches, each becomes a vector of 192 features, to which its place
/// is added; 12 layers of attention with 3 heads; the class is read from a vector that was there beside the patches.
/// Images whose sides the patches do not divide are extended by zeros to the right and below.
///
/// # Shapes
/// `[N, in_channels, H, W]` to logits `[N, num_classes]`, of the height and width it was made for.
///
/// # Source
/// Dosovitskiy et al., An Image is Worth 16x16 Words (2021); the size from Touvron et al., DeiT (2021), table 1. Names
/// and initial values as in timm's `vit_tiny_patch16_224`.
#[derive(Module)]
pub struct VisionTransformer {
    cls_token: Tensor,
    pos_embed: Tensor,
    patch_embed: PatchEmbed,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
}

impl VisionTransformer {
    /// For images of this height and width in pixels, with square patches: 16 as published, 4 for images of some 32x32
    /// pixels.
    pub fn tiny(
        num_classes: usize,
        in_channels: usize,
        image_size: [usize; 2],
        patch_size: usize,
        rng: &mut Rng,
    ) -> VisionTransformer {
        let num_patches: usize = image_size.iter().map(|size| size.div_ceil(patch_size)).product();
        let padding = image_size.map(|size| (0, size.next_multiple_of(patch_size) - size));
        let conv = Conv2d::builder(in_channels, EMBED_DIM, patch_size).stride(patch_size).padding(padding);
        VisionTransformer {
            cls_token: rng.normal([1, 1, EMBED_DIM], DType::F32, 0.0, 1e-6),
            pos_embed: rng.normal([1, num_patches + 1, EMBED_DIM], DType::F32, 0.0, 0.02),
            patch_embed: PatchEmbed { proj: conv.build(rng) },
            blocks: (0..DEPTH).map(|_| Block::new(rng)).collect(),
            norm: layer_norm(),
            head: linear(EMBED_DIM, num_classes, rng),
        }
    }
}

impl Layer for VisionTransformer {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        logits(self, images, context)
    }
}

impl ImageModel for VisionTransformer {
    fn maps(&self, images: &Tensor, _: &mut Context) -> Vec<Tensor> {
        vec![images.clone()]
    }

    fn classify(&self, images: &Tensor, context: &mut Context) -> Tensor {
        let patches = self.patch_embed.proj.forward(images, context).flatten(2, 3).transpose(1, 2);
        let cls_token = self.cls_token.broadcast_to([images.shape()[0], 1, EMBED_DIM]);
        let tokens = Tensor::cat(&[&cls_token, &patches], 1) + &self.pos_embed;
        let encoded = self.blocks.iter().fold(tokens, |x, block| block.forward(&x, context));
        let class = self.norm.forward(&encoded, context).index_axis(1, 0);
        self.head.forward(&class, context)
    }
}

#[derive(Module)]
struct PatchEmbed {
    proj: Conv2d,
}

#[derive(Module)]
struct Block {
    norm1: LayerNorm,
    attn: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
}

impl Block {
    fn new(rng: &mut Rng) -> Block {
        Block {
            norm1: layer_norm(),
            attn: Attention { qkv: linear(EMBED_DIM, 3 * EMBED_DIM, rng), proj: linear(EMBED_DIM, EMBED_DIM, rng) },
            norm2: layer_norm(),
            mlp: Mlp { fc1: linear(EMBED_DIM, 4 * EMBED_DIM, rng), fc2: linear(4 * EMBED_DIM, EMBED_DIM, rng) },
        }
    }
}

impl Layer for Block {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let x = input + self.attn.forward(&self.norm1.forward(input, context), context);
        let fed = self.mlp.forward(&self.norm2.forward(&x, context), context);
        x + fed
    }
}

/// Attention of several heads, with timm's names.
#[derive(Module)]
struct Attention {
    qkv: Linear,
    proj: Linear,
}

impl Layer for Attention {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (batch, length, size) = (input.shape()[0], input.shape()[1], EMBED_DIM / NUM_HEADS);
        let qkv = self.qkv.forward(input, context).reshape([batch, length, 3, NUM_HEADS, size]);
        let qkv = qkv.permute([2, 0, 3, 1, 4]);
        let [q, k, v] = [0, 1, 2].map(|part| qkv.index_axis(0, part));
        let scale = Real(1.0 / (size as f64).sqrt());
        let op = whole::Attention { scale, causal: false, precision: context.precision() };
        let attended = Tensor::from(q.value().attention(k.value(), v.value(), None, op));
        self.proj.forward(&attended.permute([0, 2, 1, 3]).reshape([batch, length, EMBED_DIM]), context)
    }
}

#[derive(Module)]
struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl Layer for Mlp {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let hidden = Activation::Gelu.apply(&self.fc1.forward(input, context));
        self.fc2.forward(&hidden, context)
    }
}

fn linear(from: usize, to: usize, rng: &mut Rng) -> Linear {
    let init = Init::Normal { mean: 0.0, standard_deviation: 0.02 };
    Linear::builder(from, to).init(init).bias_init(Init::Zeros).build(rng)
}

fn layer_norm() -> LayerNorm {
    LayerNorm::new([EMBED_DIM]).eps(1e-6)
}
