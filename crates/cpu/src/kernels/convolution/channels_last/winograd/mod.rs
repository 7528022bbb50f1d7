//! Winograd.
use crate::isa::Isa;
use crate::kernel::Kernel;
use crate::kernels::convolution::geometry::{Axis, Geometry};
mod correlation;
mod matrices;
mod minimal;
mod tiles;
mod transform;
mod weight_grad;
mod weights;
use correlation::Correlation;
use weights::Weights;

pub(super) fn forward_for(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    let Geometry { in_channels, out_channels, .. } = *geometry;
    let weights = Weights {
        depth: in_channels,
        depth_stride: 9,
        columns: out_channels,
        column_stride: in_channels * 9,
        is_reversed: false,
    };
    Box::new(Correlation::new(isa, geometry, weights))
}
pub(super) fn input_grad_for(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    let reversed = |axis: Axis| Axis {
        input: axis.output,
        output: axis.input,
        low: ((axis.kernel - 1) * axis.dilation) as i64 - axis.low,
        ..axis
    };
    let Geometry { in_channels, out_channels, .. } = *geometry;
    let exchanged = Geometry { axes: geometry.axes.map(reversed), ..*geometry };
    let weights = Weights {
        depth: out_channels,
        depth_stride: in_channels * 9,
        columns: in_channels,
        column_stride: 9,
        is_reversed: true,
    };
    Box::new(Correlation::new(isa, &exchanged, weights))
}
pub(super) fn weight_grad_for(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    let Geometry { in_channels, out_channels, .. } = *geometry;
    let weights = Weights {
        depth: in_channels,
        depth_stride: 9,
        columns: out_channels,
        column_stride: in_channels * 9,
        is_reversed: false,
    };
    Box::new(weight_grad::WeightGrad::new(isa, geometry, weights))
}
pub(super) fn forward(_: &Geometry) -> Option<Box<dyn Kernel>> {
    None
}

pub(super) fn input_grad(_: &Geometry) -> Option<Box<dyn Kernel>> {
    None
}

pub(super) fn weight_grad(_: &Geometry) -> Option<Box<dyn Kernel>> {
    None
}
