//! X15: half of the channels through convolutions, then all shuffled, as in ShuffleNet V2 of Ma et al. (2018), on 96 by 96,
//! stochastic gradient descent.

use gyrus::prelude::*;

use super::normalized::convolution;
use crate::bench::workload::{Workload, inference, labels, normal, sgd, training};

const CHANNELS: usize = 116;

type Branch = ((Conv2d, BatchNorm), Activation, (Conv2d, BatchNorm), (Conv2d, BatchNorm), Activation);

#[derive(Module)]
struct Shuffled {
    branch: Branch,
}

impl Layer for Shuffled {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let &[images, _, height, width] = &input.shape()[..] else { panic!("images") };
        let half = CHANNELS / 2;
        let branch = self.branch.forward(&input.narrow(1, half..CHANNELS), context);
        let joined = Tensor::cat(&[input.narrow(1, 0..half), branch], 1);
        let halves = joined.reshape([images, 2, half, height, width]);
        halves.transpose(1, 2).reshape([images, CHANNELS, height, width])
    }
}

fn model() -> Sequential {
    let rng = &mut Rng::new(0);
    let mut model = Sequential::new()
        .push((convolution([3, 24], 3, 2, 1, rng), Activation::Relu, MaxPool2d::new(3).stride(2).padding(1)))
        .push((convolution([24, CHANNELS], 1, 1, 1, rng), Activation::Relu));
    for _ in 0..3 {
        let half = CHANNELS / 2;
        let first = convolution([half, half], 1, 1, 1, rng);
        let (by_channel, last) = (convolution([half, half], 3, 1, half, rng), convolution([half, half], 1, 1, 1, rng));
        model = model.push(Shuffled { branch: (first, Activation::Relu, by_channel, last, Activation::Relu) });
    }
    model.push((GlobalAvgPool, Linear::new(CHANNELS, 100, rng)))
}

pub fn train() -> Box<dyn Workload> {
    training(model(), sgd, normal([8, 3, 96, 96]), labels(8, 100))
}

pub fn infer() -> Box<dyn Workload> {
    inference(model(), normal([8, 3, 96, 96]))
}
