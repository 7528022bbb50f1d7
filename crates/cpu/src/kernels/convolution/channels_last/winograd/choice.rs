//! Where Winograd's method is faster.
//!
//! All is counted in multiplications of full speed. The constants are measured, with images beyond the second-level
//! cache; there a transform of 16 channels takes about as long as 16 thousand multiplications.

use super::minimal::TAPS;
use super::tiles::Tiles;
use super::transform::PLACES;
use crate::kernels::convolution::geometry::Geometry;

/// What a transform of a tile's inputs costs for each channel, and one to or from its results.
const INPUT: usize = 1000;
const RESULT: usize = 700;
/// What a transform of a kernel costs, forth or back.
const KERNEL: usize = 370;
/// Channels of a transform, and of a product's panel.
const VECTOR: usize = 16;
const PANEL: usize = 32;

/// Whether all sizes are those of the method, and it needs less than nine tenths of a direct convolution's time, where
/// `at_once` products are computed in the time of one.
pub(super) fn is_faster(geometry: &Geometry, at_once: usize) -> bool {
    let Geometry { images, groups, in_channels, out_channels, axes: [depth, ..] } = *geometry;
    let is_plane = depth.input == 1 && depth.kernel == 1 && depth.output == 1 && depth.low == 0;
    let is_of_taps = geometry.axes[1..].iter().all(|axis| (axis.kernel, axis.stride, axis.dilation) == (TAPS, 1, 1));
    if !is_plane || !is_of_taps || groups != 1 {
        return false;
    }
    let tiles = Tiles::new(geometry).len();
    let (from, to) = (in_channels.next_multiple_of(VECTOR), out_channels.next_multiple_of(VECTOR));
    let products = PLACES * in_channels * out_channels.next_multiple_of(PANEL);
    let transforms = tiles * (INPUT * from + RESULT * to) + KERNEL * in_channels * to;
    let direct = TAPS * TAPS * images * geometry.output_pixels() * in_channels * out_channels;
    (tiles * products + at_once * transforms) * 10 < direct * 9
}
