//! Not there yet.

use crate::kernel::Kernel;
use crate::kernels::convolution::geometry::Geometry;

pub(super) fn forward(_: &Geometry) -> Option<Box<dyn Kernel>> {
    None
}

pub(super) fn input_grad(_: &Geometry) -> Option<Box<dyn Kernel>> {
    None
}

pub(super) fn weight_grad(_: &Geometry) -> Option<Box<dyn Kernel>> {
    None
}
