//! Convolutions of images `[N, C, spatial..]` that lie in memory as `[N, spatial.., C]`.
//!
//! Neighbouring channels are what a tile sums over, or its columns, so that operands are read where they are. The
//! weights and their gradient are row-major, `[O, C, kernel..]`, as everywhere.

use gyrus_graph::DType;
use gyrus_graph::ops::contraction::{
    Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow, Precision,
};

use self::direct::pairs;
use super::geometry::Geometry;
use crate::isa::Isa;
use crate::kernel::{Kernel, Signature};
use crate::kernels::gemm::microkernel::PairReduceLoops;

mod direct;
mod winograd;

/// How many output channels make this order worth while, whatever comes in, and how many on both sides do.
const MANY_CHANNELS: usize = 32;
const FEWEST_CHANNELS: usize = 16;

/// The kernel of a convolution, if it is faster in this order.
pub fn forward(op: &Convolution, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [x, w] = signature.inputs else { unreachable!("two operands") };
    let geometry = geometry(&op.window, x.dtype, [&x.shape, &w.shape, &signature.outputs[0].shape])?;
    let ways = Ways { winograd: winograd::forward, pairs: pairs::forward, direct: direct::forward };
    ways.fastest(op.precision, &geometry)
}

/// The kernel of the gradient for the input, likewise.
pub fn input_grad(op: &ConvolutionInputGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [dy, w] = signature.inputs else { unreachable!("two operands") };
    let geometry = geometry(&op.window, dy.dtype, [&signature.outputs[0].shape, &w.shape, &dy.shape])?;
    let ways = Ways { winograd: winograd::input_grad, pairs: pairs::input_grad, direct: direct::input_grad };
    ways.fastest(op.precision, &geometry)
}

/// The kernel of the gradient for the weights, likewise.
pub fn weight_grad(op: &ConvolutionWeightGrad, signature: &Signature) -> Option<Box<dyn Kernel>> {
    let [x, dy] = signature.inputs else { unreachable!("two operands") };
    let geometry = geometry(&op.window, x.dtype, [&x.shape, &signature.outputs[0].shape, &dy.shape])?;
    let ways = Ways { winograd: winograd::weight_grad, pairs: pairs::weight_grad, direct: direct::weight_grad };
    ways.fastest(op.precision, &geometry)
}

/// A kernel, if there is one for such operands.
type Made = Option<Box<dyn Kernel>>;

/// What makes kernels of one of the three products.
struct Ways {
    /// By Winograd's method, of pairs of `bf16` where they are given, if that is faster than direct sums of the same.
    winograd: fn(&Geometry, Option<PairReduceLoops>) -> Made,
    /// By direct sums of pairs of `bf16`, where the processor has those, and of `f32`.
    pairs: fn(Isa, &Geometry) -> Made,
    direct: fn(&Geometry) -> Made,
}

impl Ways {
    fn fastest(&self, precision: Precision, geometry: &Geometry) -> Option<Box<dyn Kernel>> {
        let isa = Isa::get();
        if precision == Precision::Bf16
            && isa.gains_by_bf16()
            && let Some(kernel) = (self.pairs)(isa, geometry)
        {
            return (self.winograd)(geometry, PairReduceLoops::new(isa)).or(Some(kernel));
        }
        (self.winograd)(geometry, None).or_else(|| (self.direct)(geometry))
    }
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
