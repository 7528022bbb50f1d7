//! X4: a tiny vision transformer of patches of 16 by 16, AdamW.

use gyrus::prelude::*;

use crate::bench::workload::{Workload, adam_w, inference, labels, normal, training};

#[derive(Module)]
struct VisionTransformer {
    patches: Conv2d,
    position: Tensor,
    encoder: Sequential,
    norm: LayerNorm,
    output: Linear,
}

impl VisionTransformer {
    fn new(rng: &mut Rng) -> VisionTransformer {
        let mut encoder = Sequential::new();
        for _ in 0..12 {
            encoder = encoder.push(TransformerEncoderLayer::new(192, 3, 768, rng).dropout(0.0).norm_first(true));
        }
        VisionTransformer {
            patches: Conv2d::builder(3, 192, 16).stride(16).build(rng),
            position: rng.normal([196, 192], DType::F32, 0.0, 0.02),
            encoder,
            norm: LayerNorm::new([192]),
            output: Linear::new(192, 1000, rng),
        }
    }
}

impl Layer for VisionTransformer {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let patches = self.patches.forward(input, context).flatten(2, 3).transpose(1, 2);
        let encoded = self.encoder.forward(&(patches + &self.position), context);
        self.output.forward(&self.norm.forward(&encoded, context).mean(1), context)
    }
}

pub fn train() -> Box<dyn Workload> {
    training(VisionTransformer::new(&mut Rng::new(0)), adam_w, normal([4, 3, 224, 224]), labels(4, 1000))
}

pub fn infer() -> Box<dyn Workload> {
    inference(VisionTransformer::new(&mut Rng::new(0)), normal([4, 3, 224, 224]))
}
