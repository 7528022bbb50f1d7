//! Winograd.

use crate::isa::Isa;
use crate::kernel::Kernel;
use crate::kernels::convolution::geometry::Geometry;

mod correlation;
mod matrices;
mod minimal;
mod order;
mod tiles;
mod transform;
mod weight_grad;
mod weights;

use correlation::Correlation;
use weight_grad::WeightGrad;

pub(super) fn forward_for(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    Box::new(Correlation::forward(isa, geometry))
}
pub(super) fn input_grad_for(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    Box::new(Correlation::input_grad(isa, geometry))
}
pub(super) fn weight_grad_for(isa: Isa, geometry: &Geometry) -> Box<dyn Kernel> {
    Box::new(WeightGrad::new(isa, geometry))
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
