//! What layers over the channels of images ask of their inputs.

use gyrus_tensor::Tensor;

/// Panics unless an input is `[N, C, spatial..]`, of at least `rank` axes, with as many channels as the layer's setting `name`
/// says.
#[track_caller]
pub(super) fn check_channels(layer: &str, input: &Tensor, rank: usize, name: &str, count: usize) {
    assert!(
        input.rank() >= rank && input.shape()[1] == count,
        "{layer}: input {}: must be [N, C, spatial..] with {name} ({count}) channels",
        input.spec()
    );
}
