//! Direct convolutions of precision `bf16`: products of pairs of neighbours among what is summed over, each in the
//! place of one `f32`. Kernel and images are then those of a convolution of `f32` of half as many channels, or, for
//! the gradient for the weights, which is a sum over images, of half as many images.

use super::weight_grad::WeightGrad;
use super::{Correlated, correlation_of_input, correlation_of_result, joined};
use crate::isa::Isa;
use crate::kernel::Kernel;
use crate::kernels::convolution::geometry::{Axis, Geometry};
use crate::kernels::convolution::paired::{Operand, paired};
use crate::kernels::gemm::microkernel::PairReduceLoops;

/// The kernel of a convolution, if this processor has such products and there are pairs.
pub(in super::super) fn forward(isa: Isa, geometry: &Geometry) -> Option<Box<dyn Kernel>> {
    let Geometry { images, in_channels, out_channels, .. } = *geometry;
    let loops = loops(isa, geometry, in_channels)?;
    let x = Operand::of_pairs([images * geometry.input_pixels(), in_channels, 1]);
    let w = Operand::of_pairs([out_channels, in_channels, geometry.taps()]);
    let halved = Geometry { in_channels: in_channels.div_ceil(2), ..*geometry };
    Some(paired(loops, [x, w], Box::new(Correlated(correlation_of_result(isa, loops.kernel, &halved)))))
}

/// The kernel of the gradient for the input, likewise.
pub(in super::super) fn input_grad(isa: Isa, geometry: &Geometry) -> Option<Box<dyn Kernel>> {
    let Geometry { images, in_channels, out_channels, .. } = *geometry;
    let loops = loops(isa, geometry, out_channels)?;
    let dy = Operand::of_pairs([images * geometry.output_pixels(), out_channels, 1]);
    let w = Operand::of_pairs([1, out_channels, in_channels * geometry.taps()]);
    let halved = Geometry { out_channels: out_channels.div_ceil(2), ..*geometry };
    Some(paired(loops, [dy, w], Box::new(Correlated(correlation_of_input(isa, loops.kernel, &halved)))))
}

/// The kernel of the gradient for the weights, likewise.
pub(in super::super) fn weight_grad(isa: Isa, geometry: &Geometry) -> Option<Box<dyn Kernel>> {
    let geometry = &if geometry.is_pointwise() { of_single_places(geometry) } else { *geometry };
    let Geometry { images, in_channels, out_channels, .. } = *geometry;
    let loops = loops(isa, geometry, images)?;
    let x = Operand::of_pairs([1, images, geometry.input_pixels() * in_channels]);
    let dy = Operand::of_pairs([1, images, geometry.output_pixels() * out_channels]);
    let halved = Geometry { images: images.div_ceil(2), ..*geometry };
    let kernel = WeightGrad::new(isa, loops.kernel, joined(&halved));
    Some(paired(loops, [x, dy], Box::new(kernel)))
}

/// A pointwise convolution with each place as an image of its own.
fn of_single_places(geometry: &Geometry) -> Geometry {
    let images = geometry.images * geometry.output_pixels();
    Geometry { images, axes: geometry.axes.map(|axis| Axis { input: 1, output: 1, ..axis }), ..*geometry }
}

/// The loops, if there are several elements to sum over.
fn loops(isa: Isa, geometry: &Geometry, depth: usize) -> Option<PairReduceLoops> {
    if geometry.groups > 1 || depth == 1 {
        return None;
    }
    PairReduceLoops::new(isa)
}
