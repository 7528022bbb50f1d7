//! Convolutions with batch normalisation, of which several models are made.

use gyrus::prelude::*;

/// Without a bias, and with so much padding that only the stride changes the size.
pub(super) fn convolution(
    [from, to]: [usize; 2],
    size: usize,
    stride: usize,
    groups: usize,
    rng: &mut Rng,
) -> (Conv2d, BatchNorm) {
    let builder = Conv2d::builder(from, to, size).stride(stride).padding(size / 2).groups(groups);
    (builder.bias(false).build(rng), BatchNorm::new(to))
}
