//! W0, W7 and W8: single operations.

use gyrus::ConvolutionWindow;
use gyrus::prelude::*;

use super::workload::{Workload, function, normal};

fn matmul(size: usize) -> Box<dyn Workload> {
    function([normal([size, size]), normal([size, size])], |x, _| vec![x[0].matmul(&x[1])])
}

pub fn matmul_1024() -> Box<dyn Workload> {
    matmul(1024)
}

pub fn matmul_4096() -> Box<dyn Workload> {
    matmul(4096)
}

pub fn gelu() -> Box<dyn Workload> {
    function([normal([16 << 20])], |x, _| vec![(&x[0] * 1.5 + 0.25).gelu() + 0.125])
}

pub fn softmax() -> Box<dyn Workload> {
    function([normal([4096, 4096])], |x, _| vec![x[0].softmax(-1)])
}

fn convolve(x: &[Tensor]) -> Tensor {
    let window = ConvolutionWindow { padding: vec![(1, 1); 2], ..ConvolutionWindow::new(2) };
    x[0].conv(&x[1], window) + &x[2].reshape([1, 64, 1, 1])
}

fn convolution_operands() -> [Tensor; 4] {
    [normal([4, 64, 128, 128]), normal([64, 64, 3, 3]), normal([64]), normal([4, 64, 128, 128])]
}

pub fn convolution() -> Box<dyn Workload> {
    function(convolution_operands(), |x, _| vec![convolve(x)])
}

/// The gradients of the input, the weight and the bias, with the forward pass.
pub fn convolution_and_gradients() -> Box<dyn Workload> {
    function(convolution_operands(), |x, _| {
        let y = convolve(x);
        let mut all = grad(&(&y * &x[3]).sum(..), &[&x[0], &x[1], &x[2]]);
        all.push(y);
        all
    })
}
