//! Single operations, forward or with their gradients, that no model above is tuned for: `scripts/bench/torch_operations.py`
//! has the same ones.

use gyrus::nn::layers::{AdaptiveAvgPool, Upsample};
use gyrus::prelude::*;
use gyrus::{ConvolutionWindow, Keepdim};

use super::Entry;
use super::workload::{Workload, function, normal};

fn forward(inputs: impl Into<Vec<Tensor>>, f: impl Fn(&[Tensor]) -> Tensor + 'static) -> Box<dyn Workload> {
    function(inputs, move |x, _| vec![f(x)])
}

/// With the gradients of the inputs that are real numbers.
fn backward(inputs: impl Into<Vec<Tensor>>, f: impl Fn(&[Tensor]) -> Tensor + 'static) -> Box<dyn Workload> {
    let mut inputs: Vec<Tensor> = inputs.into();
    let cotangent = Rng::new(1).normal(f(&inputs).shape().clone(), DType::F32, 0.0, 1.0).detach();
    inputs.push(cotangent);
    function(inputs, move |x, _| {
        let (cotangent, x) = x.split_last().expect("the last is the gradient of the result");
        let y = f(x);
        let targets: Vec<&Tensor> = x.iter().filter(|x| x.dtype().is_float()).collect();
        let mut results = grad(&(&y * cotangent).sum(..), &targets);
        results.push(y);
        results
    })
}

/// Places along an axis of `size`, in no order.
fn places<const N: usize>(shape: [usize; N], size: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    Tensor::from_slice(shape, &(0..count).map(|index| (index * 7919 % size) as i64).collect::<Vec<_>>())
}

/// A convolution, with its gradients.
fn conv<const N: usize, const M: usize>(
    x: [usize; N],
    weight: [usize; M],
    parameters: [usize; 4],
) -> Box<dyn Workload> {
    let window = window(N - 2, parameters);
    backward([normal(x), normal(weight)], move |x| x[0].conv(&x[1], window.clone()))
}

/// A window of equal strides, paddings and dilations.
fn window(rank: usize, [stride, padding, dilation, groups]: [usize; 4]) -> ConvolutionWindow {
    ConvolutionWindow {
        stride: vec![stride; rank],
        padding: vec![(padding as i64, padding as i64); rank],
        dilation: vec![dilation; rank],
        groups,
    }
}

/// What is timed.
pub const WORKLOADS: &[Entry] = &[
    // Reductions.
    ("O-sum-columns", || forward([normal([4096, 4096])], |x| x[0].sum(0))),
    ("O-sum-rows", || forward([normal([4096, 4096])], |x| x[0].sum(1))),
    ("O-sum-all", || forward([normal([16 << 20])], |x| x[0].sum(..))),
    ("O-mean-of-channels", || forward([normal([64, 128, 56, 56])], |x| x[0].mean([0, 2, 3]))),
    ("O-mean-of-images", || forward([normal([64, 128, 56, 56])], |x| x[0].mean([2, 3]))),
    ("O-max-rows", || forward([normal([4096, 4096])], |x| x[0].max(1))),
    ("O-variance-rows", || forward([normal([4096, 4096])], |x| x[0].variance(1, 1))),
    ("O-softmax-of-pixels", || backward([normal([4, 21, 256, 256])], |x| x[0].softmax(1))),
    ("O-cross-entropy-of-words", || {
        backward([normal([512, 32000]), places([512], 32000)], |x| cross_entropy(&x[0], &x[1]))
    }),
    ("O-cross-entropy-of-pixels", || {
        backward([normal([4, 21, 256, 256]), places([4, 256, 256], 21)], |x| cross_entropy(&x[0], &x[1]))
    }),
    ("O-cumsum-rows", || backward([normal([4096, 1024])], |x| x[0].cumsum(1))),
    ("O-cumsum-columns", || backward([normal([4096, 1024])], |x| x[0].cumsum(0))),
    ("O-cumsum-long", || forward([normal([4, 1 << 18])], |x| x[0].cumsum(1))),
    ("O-sort-rows", || forward([normal([1024, 4096])], |x| x[0].sort(-1, false).0)),
    ("O-top10-of-rows", || forward([normal([1024, 4096])], |x| x[0].top_k(10, -1).0)),
    ("O-top1000", || forward([normal([100_000])], |x| x[0].top_k(1000, -1).0)),
    // Places.
    ("O-take-rows", || backward([normal([100_000, 128]), places([65536], 100_000)], |x| x[0].take(0, &x[1]))),
    ("O-take-columns", || backward([normal([4096, 1024]), places([512], 1024)], |x| x[0].take(1, &x[1]))),
    ("O-take-along-rows", || {
        backward([normal([4096, 1024]), places([4096, 64], 1024)], |x| x[0].take_along_axis(1, &x[1]))
    }),
    ("O-scatter-add", || {
        let inputs = [normal([4096, 1024]), normal([4096, 512]), places([4096, 512], 1024)];
        forward(inputs, |x| x[0].scatter_add(1, &x[2], &x[1]))
    }),
    ("O-messages-of-a-graph", || {
        let inputs = [normal([10_000, 64]), places([100_000], 10_000), places([100_000], 9973)];
        backward(inputs, |x| x[0].zeros_like().index_add(0, &x[2], &x[0].take(0, &x[1])))
    }),
    // Movement.
    ("O-channels-last", || forward([normal([64, 128, 32, 32])], |x| x[0].permute([0, 2, 3, 1]))),
    ("O-transpose", || forward([normal([4096, 4096])], |x| x[0].t())),
    ("O-heads", || forward([normal([32, 512, 8, 64])], |x| x[0].permute([0, 2, 1, 3]))),
    ("O-cat-channels", || {
        forward([normal([32, 64, 56, 56]), normal([32, 32, 56, 56])], |x| Tensor::cat(&[&x[0], &x[1]], 1))
    }),
    ("O-stack-last", || forward([normal([1024, 1024]), normal([1024, 1024])], |x| Tensor::stack(&[&x[0], &x[1]], 2))),
    ("O-pad", || backward([normal([32, 64, 56, 56])], |x| x[0].pad(&[(0, 0), (0, 0), (1, 1), (1, 1)], 0.0))),
    ("O-flip", || forward([normal([32, 3, 224, 224])], |x| x[0].flip([3]))),
    ("O-tile", || backward([normal([1024, 256])], |x| x[0].tile(&[4, 4]))),
    ("O-pixel-shuffle", || {
        backward([normal([8, 64, 64, 64])], |x| {
            let parts = x[0].reshape([8, 16, 2, 2, 64, 64]);
            parts.permute([0, 1, 4, 2, 5, 3]).reshape([8, 16, 128, 128])
        })
    }),
    // Products.
    ("O-matmul-65536x4x4x4", || backward([normal([65536, 4, 4]), normal([65536, 4, 4])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-512x32x32x32", || backward([normal([512, 32, 32]), normal([512, 32, 32])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-64x128x128x64", || backward([normal([64, 128, 64]), normal([64, 64, 128])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-256x1x512x128", || backward([normal([256, 1, 128]), normal([256, 128, 512])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-vector", || forward([normal([4096, 4096]), normal([4096, 1])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-32-rows", || forward([normal([32, 4096]), normal([4096, 4096])], |x| x[0].matmul(&x[1].t()))),
    ("O-matmul-depth-16", || backward([normal([4096, 16]), normal([16, 4096])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-tall", || backward([normal([100_000, 64]), normal([64, 10])], |x| x[0].matmul(&x[1]))),
    ("O-matmul-odd", || backward([normal([509, 1021]), normal([1021, 257])], |x| x[0].matmul(&x[1]))),
    ("O-gram-of-images", || backward([normal([4, 128, 16384])], |x| x[0].matmul(&x[0].transpose(1, 2)))),
    ("O-scores-of-heads", || {
        backward([normal([8, 8, 256, 64]), normal([8, 8, 256, 64])], |x| Tensor::einsum("bhqd,bhkd->bhqk", x))
    }),
    // Convolutions, with their gradients.
    ("O-conv-1x1-stride-2", || conv([16, 256, 56, 56], [512, 256, 1, 1], [2, 0, 1, 1])),
    ("O-conv-7x7-rgb", || conv([8, 3, 224, 224], [64, 3, 7, 7], [2, 3, 1, 1])),
    ("O-conv-patches", || conv([8, 3, 224, 224], [96, 3, 4, 4], [4, 0, 1, 1])),
    ("O-conv-5x5", || conv([8, 64, 56, 56], [64, 64, 5, 5], [1, 2, 1, 1])),
    ("O-conv-dilation-2", || conv([4, 128, 64, 64], [128, 128, 3, 3], [1, 2, 2, 1])),
    ("O-conv-32-groups", || conv([8, 256, 28, 28], [256, 8, 3, 3], [1, 1, 1, 32])),
    ("O-conv-depthwise-7x7", || conv([8, 96, 56, 56], [96, 1, 7, 7], [1, 3, 1, 96])),
    ("O-conv-depthwise-stride-2", || conv([8, 240, 28, 28], [240, 1, 5, 5], [2, 2, 1, 240])),
    ("O-conv-one-channel", || conv([8, 1, 128, 128], [64, 1, 3, 3], [1, 1, 1, 1])),
    ("O-conv-1d", || conv([16, 256, 1000], [256, 256, 9], [1, 4, 1, 1])),
    ("O-conv-1d-dilation-64", || conv([4, 64, 16000], [128, 64, 2], [1, 0, 64, 1])),
    ("O-conv-1d-depthwise", || conv([16, 256, 400], [256, 1, 31], [1, 15, 1, 256])),
    ("O-conv-3d", || conv([1, 64, 16, 28, 28], [64, 64, 3, 3, 3], [1, 1, 1, 1])),
    ("O-conv-3d-rgb", || conv([2, 3, 16, 112, 112], [64, 3, 3, 3, 3], [1, 1, 1, 1])),
    ("O-conv-transposed", || {
        let inputs = [normal([16, 128, 16, 16]), normal([128, 64, 4, 4])];
        backward(inputs, |x| x[0].conv_transpose(&x[1], window(2, [2, 1, 1, 1]), &[0, 0]))
    }),
    // Pooling and sizes.
    ("O-max-pool-3-stride-2", || backward([normal([8, 64, 112, 112])], |x| x[0].max_pool(&[3, 3], &[2, 2], &[1, 1]))),
    ("O-max-pool-5", || backward([normal([8, 128, 20, 20])], |x| x[0].max_pool(&[5, 5], &[1, 1], &[2, 2]))),
    ("O-max-pool-1d", || backward([normal([16, 128, 4000])], |x| x[0].max_pool(&[4], &[4], &[0]))),
    ("O-max-pool-3d", || {
        backward([normal([2, 64, 16, 56, 56])], |x| x[0].max_pool(&[2, 2, 2], &[2, 2, 2], &[0, 0, 0]))
    }),
    ("O-avg-pool-3", || backward([normal([8, 192, 35, 35])], |x| x[0].avg_pool(&[3, 3], &[1, 1], &[1, 1], false))),
    ("O-adaptive-pool", || {
        backward([normal([8, 256, 37, 37])], |x| AdaptiveAvgPool::<2>::new(7).forward(&x[0], &mut Context::evaluate()))
    }),
    ("O-upsample-bilinear", || {
        backward([normal([8, 64, 64, 64])], |x| Upsample::bilinear(2).forward(&x[0], &mut Context::evaluate()))
    }),
    ("O-upsample-nearest", || {
        backward([normal([8, 64, 64, 64])], |x| Upsample::nearest(2).forward(&x[0], &mut Context::evaluate()))
    }),
    // Normalisation.
    ("O-group-norm", || {
        backward([normal([8, 128, 56, 56])], |x| GroupNorm::new(32, 128).forward(&x[0], &mut Context::evaluate()))
    }),
    ("O-instance-norm", || {
        backward([normal([4, 64, 128, 128])], |x| InstanceNorm::new(64).forward(&x[0], &mut Context::evaluate()))
    }),
    ("O-unit-rows", || backward([normal([65536, 128])], |x| &x[0] / x[0].norm(Keepdim(-1)))),
    // Element by element.
    ("O-exp", || backward([normal([8 << 20])], |x| x[0].exp())),
    ("O-tanh", || backward([normal([8 << 20])], |x| x[0].tanh())),
    ("O-silu", || backward([normal([8 << 20])], |x| x[0].silu())),
    ("O-softplus", || backward([normal([8 << 20])], |x| x[0].softplus())),
    ("O-sin", || backward([normal([8 << 20])], |x| x[0].sin())),
    ("O-cube", || backward([normal([8 << 20])], |x| x[0].powf(3.0))),
    ("O-clamp", || forward([normal([8 << 20])], |x| x[0].clamp(-1.0, 1.0))),
    ("O-hard-sigmoid", || backward([normal([8 << 20])], |x| x[0].hard_sigmoid())),
    ("O-add-to-channels", || backward([normal([32, 64, 56, 56]), normal([1, 64, 1, 1])], |x| &x[0] + &x[1])),
    ("O-scale-rows", || backward([normal([4096, 2048]), normal([4096, 1])], |x| &x[0] * &x[1])),
    ("O-mean-squared-error", || backward([normal([8 << 20]), normal([8 << 20])], |x| mse_loss(&x[0], &x[1]))),
];
