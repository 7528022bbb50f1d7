//! W3 and W6: ResNet-18 for images of 32 by 32 and of 224 by 224.

use gyrus::prelude::*;

use super::workload::{Workload, inference, labels, normal, sgd, training};

fn convolution(from: usize, to: usize, size: usize, stride: usize, rng: &mut Rng) -> (Conv2d, BatchNorm) {
    let padding = size / 2;
    (Conv2d::builder(from, to, size).stride(stride).padding(padding).bias(false).build(rng), BatchNorm::new(to))
}

fn block(from: usize, to: usize, stride: usize, rng: &mut Rng) -> impl Layer + 'static {
    let body = (convolution(from, to, 3, stride, rng), Activation::Relu, convolution(to, to, 3, 1, rng));
    let block = Residual::new(body);
    let block = if from == to { block } else { block.shortcut(convolution(from, to, 1, stride, rng)) };
    (block, Activation::Relu)
}

pub fn resnet18(num_classes: usize, is_large: bool) -> Sequential {
    let rng = &mut Rng::new(0);
    let mut model = if is_large {
        Sequential::new()
            .push((convolution(3, 64, 7, 2, rng), Activation::Relu))
            .push(MaxPool2d::new(3).stride(2).padding(1))
    } else {
        Sequential::new().push((convolution(3, 64, 3, 1, rng), Activation::Relu))
    };
    for (from, to, stride) in [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)] {
        model = model.push(block(from, to, stride, rng)).push(block(to, to, 1, rng));
    }
    model.push(GlobalAvgPool).push(Linear::new(512, num_classes, rng))
}

pub fn train() -> Box<dyn Workload> {
    training(resnet18(10, false), sgd, normal([32, 3, 32, 32]), labels(32, 10))
}

pub fn infer_one() -> Box<dyn Workload> {
    inference(resnet18(1000, true), normal([1, 3, 224, 224]))
}

pub fn infer_eight() -> Box<dyn Workload> {
    inference(resnet18(1000, true), normal([8, 3, 224, 224]))
}
