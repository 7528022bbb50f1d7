//! X14: inverted bottlenecks whose channels are scaled by what they have on average, as in EfficientNet of Tan, Le (2019), on 128
//! by 128, stochastic gradient descent.

use gyrus::prelude::*;

use super::normalized::convolution;
use crate::bench::workload::{Workload, inference, labels, normal, sgd, training};

/// Squeeze and excitation.
#[derive(Module)]
struct Excitation {
    squeeze: Linear,
    excite: Linear,
}

impl Layer for Excitation {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let squeezed = self.squeeze.forward(&input.mean([2, 3]), context).silu();
        let factors = self.excite.forward(&squeezed, context).sigmoid();
        input * factors.unsqueeze(-1).unsqueeze(-1)
    }
}

fn block(from: usize, to: usize, size: usize, stride: usize, rng: &mut Rng) -> Box<dyn Layer> {
    let wide = 6 * from;
    let body = (
        (convolution([from, wide], 1, 1, 1, rng), Activation::Silu),
        (convolution([wide, wide], size, stride, wide, rng), Activation::Silu),
        Excitation { squeeze: Linear::new(wide, from / 4, rng), excite: Linear::new(from / 4, wide, rng) },
        convolution([wide, to], 1, 1, 1, rng),
    );
    if from == to && stride == 1 { Box::new(Residual::new(body)) } else { Box::new(body) }
}

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    let mut model = Sequential::new().push((convolution([3, 32], 3, 2, 1, rng), Activation::Silu));
    for (from, to, size, stride) in [
        (32, 24, 3, 2),
        (24, 24, 3, 1),
        (24, 40, 5, 2),
        (40, 40, 5, 1),
        (40, 80, 3, 2),
        (80, 80, 3, 1),
        (80, 112, 5, 1),
        (112, 112, 5, 1),
    ] {
        model = model.push(block(from, to, size, stride, rng));
    }
    model.push((GlobalAvgPool, Linear::new(112, 100, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), sgd, normal([8, 3, 128, 128]), labels(8, 100))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([8, 3, 128, 128]))
}
