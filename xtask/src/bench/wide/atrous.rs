//! X16: convolutions of several dilations beside each other, as in DeepLabv3 of Chen et al. (2017), on features of 33 by 33, and
//! the classes of 132 by 132 pixels, stochastic gradient descent.

use gyrus::nn::layers::Upsample;
use gyrus::prelude::*;

use crate::bench::workload::{Workload, inference, labels, normal, sgd, training};

const CLASSES: usize = 21;

type Convolution = (Conv2d, BatchNorm, Activation);

fn convolution(from: usize, size: usize, dilation: usize, rng: &mut Rng) -> Convolution {
    let builder = Conv2d::builder(from, 128, size).dilation(dilation).padding(size / 2 * dilation);
    (builder.bias(false).build(rng), BatchNorm::new(128), Activation::Relu)
}

/// Atrous spatial pyramid pooling, and what follows.
#[derive(Module)]
struct Pyramid {
    branches: Vec<Convolution>,
    output: (Convolution, Conv2d, Upsample),
}

impl Layer for Pyramid {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let branches: Vec<Tensor> = self.branches.iter().map(|branch| branch.forward(input, context)).collect();
        self.output.forward(&Tensor::cat(&branches, 1), context)
    }
}

fn model() -> Pyramid {
    let rng = &mut Rng::new(0);
    let branches = [(1, 1), (3, 6), (3, 12), (3, 18)];
    let branches = branches.map(|(size, dilation)| convolution(256, size, dilation, rng)).into();
    Pyramid {
        branches,
        output: (convolution(512, 1, 1, rng), Conv2d::new(128, CLASSES, 1, rng), Upsample::bilinear(4)),
    }
}

pub fn train() -> Box<dyn Workload> {
    let classes = labels(2 * 132 * 132, CLASSES).reshape([2, 132, 132]).detach();
    training(model(), sgd, normal([2, 256, 33, 33]), classes)
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([2, 256, 33, 33]))
}
