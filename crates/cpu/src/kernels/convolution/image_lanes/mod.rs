//! Convolutions of many small images with few channels, and their gradients: a vector is the same element of
//! neighbouring images, so that each place of the kernel meets whole vectors, whatever its borders.
//!
//! A block of images is brought into that order, and its results are brought back.

mod correlation;
mod interleaved;
mod sum_lanes;
#[cfg(test)]
mod tests;
mod weight_grad;

pub(super) use correlation::ImageLanes;
pub(super) use weight_grad::WeightSums;

use super::geometry::Geometry;
use crate::isa::Isa;
use crate::kernels::gemm::number::Number;

/// Whether the images fill vectors, and each element of them and of the results is worth it to be moved: there are `worth`
/// products for it.
fn is_suitable<T: Number>(isa: Isa, geometry: &Geometry, worth: usize) -> bool {
    let Geometry { images, groups, in_channels, out_channels, .. } = *geometry;
    let results = groups * out_channels * geometry.output_pixels();
    let elements = groups * in_channels * geometry.input_pixels() + results;
    let products = results * geometry.depth();
    let is_filled = images * 4 >= images.next_multiple_of(T::lanes(isa)) * 3;
    images * products > 0 && is_filled && products / elements >= worth
}
