//! Convolutions of images `[N, C, spatial..]` that lie in memory as `[N, spatial.., C]`.
//!
//! Neighbouring channels are what a tile sums over, or its columns, so that operands are read where they are. The
//! weights and their gradient are row-major, `[O, C, kernel..]`, as everywhere.

use gyrus_graph::DType;
use gyrus_graph::ops::contraction::{Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow};

use super::geometry::Geometry;
use crate::kernel::{Kernel, Signature};

mod direct;
mod winograd;

/// How many output channels make this order worth while, whatever comes in, and how many on both sides do.
const MANY_CHANNELS: usize = 32;
const FEWEST_CHANNELS: usize = 16;

/// The kernel of a convolution, if it is faster in this order.
pub fn forward(op: &Convolution, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [x, w] = signature.inputs else { unreachable!("two operands") };
    let geometry = geometry(&op.window, x.dtype, [&x.shape, &w.shape, &signature.outputs[0].shape])?;
    winograd::forward(&geometry).or_else(|| direct::forward(&geometry))
}

/// The kernel of the gradient for the input, likewise.
pub fn input_grad(op: &ConvolutionInputGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [dy, w] = signature.inputs else { unreachable!("two operands") };
    let geometry = geometry(&op.window, dy.dtype, [&signature.outputs[0].shape, &w.shape, &dy.shape])?;
    winograd::input_grad(&geometry).or_else(|| direct::input_grad(&geometry))
}

/// The kernel of the gradient for the weights, likewise.
pub fn weight_grad(op: &ConvolutionWeightGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [x, dy] = signature.inputs else { unreachable!("two operands") };
    let geometry = geometry(&op.window, x.dtype, [&x.shape, &signature.outputs[0].shape, &dy.shape])?;
    winograd::weight_grad(&geometry).or_else(|| direct::weight_grad(&geometry))
}

/// The sizes of the convolution, if it is of a kind that is computed in this order: all three products of one are,
/// or none, so that nothing is copied between them.
fn geometry(window: &ConvolutionWindow, dtype: DType, [x, w, y]: [&[usize]; 3]) -> Option<Geometry> {
    let is_empty = [x, w, y].iter().any(|shape| shape.contains(&0));
    let has_channels = w[0] >= MANY_CHANNELS || w[0].min(x[1]) >= FEWEST_CHANNELS;
    let is_worth_while = dtype == DType::F32 && x.len() > 2 && !is_empty && has_channels;
    let geometry = is_worth_while.then(|| Geometry::new(window, x, w, y))?;
    (!geometry.is_whole()).then_some(geometry)
}
