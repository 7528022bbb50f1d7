//! The mean squared error.

use gyrus_tensor::Tensor;

/// The mean squared error, `mean((predictions - targets)²)` over all elements.
///
/// # Shapes
/// Both the same; a scalar results.
///
/// # Panics
/// If shapes or element types differ, or there are no elements.
#[track_caller]
pub fn mse_loss(predictions: &Tensor, targets: &Tensor) -> Tensor {
    assert!(
        predictions.spec() == targets.spec() && predictions.dtype().is_float() && predictions.num_elements() > 0,
        "mse_loss: predictions {} and targets {}: must be alike, floating-point, not empty",
        predictions.spec(),
        targets.spec()
    );
    (predictions - targets).square().mean(..)
}
