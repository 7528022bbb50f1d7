//! X3: a U-Net of three levels that classifies each pixel, Adam.

use gyrus::prelude::*;

use crate::bench::workload::{Workload, adam, inference, labels, normal, training};

type Double = (Conv2d, BatchNorm, Activation, Conv2d, BatchNorm, Activation);

fn double(from: usize, to: usize, rng: &mut Rng) -> Double {
    let mut convolution = |from| Conv2d::builder(from, to, 3).padding(1).bias(false).build(rng);
    (convolution(from), BatchNorm::new(to), Activation::Relu, convolution(to), BatchNorm::new(to), Activation::Relu)
}

#[derive(Module)]
struct UNet {
    down: Vec<Double>,
    bottom: Double,
    up: Vec<Double>,
    output: Conv2d,
}

impl UNet {
    fn new(rng: &mut Rng) -> UNet {
        UNet {
            down: vec![double(3, 32, rng), double(32, 64, rng)],
            bottom: double(64, 128, rng),
            up: vec![double(128 + 64, 64, rng), double(64 + 32, 32, rng)],
            output: Conv2d::new(32, 4, 1, rng),
        }
    }
}

impl Layer for UNet {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (mut x, mut skipped) = (input.clone(), vec![]);
        for block in &self.down {
            let y = block.forward(&x, context);
            x = MaxPool2d::new(2).forward(&y, context);
            skipped.push(y);
        }
        x = self.bottom.forward(&x, context);
        for (block, skipped) in self.up.iter().zip(skipped.iter().rev()) {
            let larger = x.repeat_interleave(2, 2).repeat_interleave(2, 3);
            x = block.forward(&Tensor::cat(&[&larger, skipped], 1), context);
        }
        self.output.forward(&x, context)
    }
}

pub fn train() -> Box<dyn Workload> {
    let classes = labels(4 * 64 * 64, 4).reshape([4, 64, 64]).detach();
    training(UNet::new(&mut Rng::new(0)), adam, normal([4, 3, 64, 64]), classes)
}

pub fn infer() -> Box<dyn Workload> {
    inference(UNet::new(&mut Rng::new(0)), normal([4, 3, 64, 64]))
}
