//! Convolutions by kernels of three by three places, with fewer multiplications.
//!
//! Winograd's F(4x4, 3x3): a tile of 4 by 4 results is known by products at 36 points, a quarter of the
//! multiplications of the sum itself. Transformed are, once each, the tiles' inputs and the kernels; between them, at
//! each point, stands a product of matrices `[tiles, C]` and `[C, O]`. The gradients are the same for reversed kernels
//! and the transposed transforms.
//!
//! Its accuracy is that of other orders of summation: errors relative to the root mean square of the exact result,
//! for normal inputs and cotangents and Kaiming's weights, as root mean square and (greatest), in 1e-6:
//!
//! | channels, images | sum, forward | here, forward | sum, weights' gradient | here, weights' gradient |
//! | --- | --- | --- | --- | --- |
//! | 64, 2 of 32x32 | 0.4 (4) | 0.8 (7) | 0.8 (7) | 1.0 (7) |
//! | 128, 4 of 16x16 | 0.6 (5) | 1.1 (11) | 0.5 (5) | 0.8 (7) |
//! | 256, 8 of 8x8 | 0.8 (7) | 1.5 (14) | 0.4 (5) | 0.6 (6) |
//! | 512, 16 of 4x4 | 1.1 (11) | 2.3 (23) | 0.2 (4) | 0.5 (6) |
//!
//! The gradient for the input is as the convolution. Convolutions by smaller tiles, F(2x2, 3x3), err by 0.3 to 0.5, less
//! than the sum, but need 16 products for 4 results where these need 9: an error within about twice that of the sum is
//! not worth that much time.
//!
//! Of precision `bf16`, transformed operands are rounded, and pairs of them multiplied. The transforms spread errors: the
//! root mean square is 1.1e-2, five times that of a sum of rounded products (2.4e-3), and of F(2x2, 3x3) it would be
//! 3.8e-3, in the time of the direct sum. Networks are trained as well by it (`BENCHMARKS.md`).
//!
//! # Source
//! Winograd, Arithmetic Complexity of Computations (1980). Lavin and Gray, Fast Algorithms for Convolutional Neural
//! Networks (2016). Barabasz and others, Error Analysis and Improving the Accuracy of Winograd Convolution for Deep
//! Neural Networks (2020), on the choice of points.

mod choice;
mod correlation;
mod matrices;
mod minimal;
mod order;
#[cfg(test)]
mod tests;
mod tiles;
mod transform;
mod weight_grad;
mod weights;

use self::choice::is_faster;
use self::correlation::Correlation;
use self::transform::Factors;
use self::weight_grad::WeightGrad;
use crate::isa::Isa;
use crate::kernel::Kernel;
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::PairReduceLoops;

/// The kernel of the convolution, by products of numbers or of pairs of `bf16`, where this is faster than the sum itself
/// of the same.
pub(super) fn forward(geometry: &Geometry, pairs: Option<PairReduceLoops>) -> Option<Box<dyn Kernel>> {
    let factors = factors(geometry, pairs)?;
    Some(Box::new(Correlation::forward(factors, geometry)))
}

/// The kernel of its gradient for the input, likewise.
pub(super) fn input_grad(geometry: &Geometry, pairs: Option<PairReduceLoops>) -> Option<Box<dyn Kernel>> {
    let factors = factors(geometry, pairs)?;
    Some(Box::new(Correlation::input_grad(factors, geometry)))
}

/// The kernel of its gradient for the weights, likewise.
pub(super) fn weight_grad(geometry: &Geometry, pairs: Option<PairReduceLoops>) -> Option<Box<dyn Kernel>> {
    let factors = factors(geometry, pairs)?;
    Some(Box::new(WeightGrad::new(factors, geometry)))
}

/// What is multiplied, if that is faster than the sum itself.
fn factors(geometry: &Geometry, pairs: Option<PairReduceLoops>) -> Option<Factors> {
    let factors = Factors { isa: Isa::get(), pairs };
    is_faster(geometry, factors.together()).then_some(factors)
}
