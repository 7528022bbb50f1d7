//! The mean squared error.

use gyrus_graph::ops::reduction::Reduction;
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
    let (x, y) = (predictions.value(), targets.value());
    assert!(
        x.spec() == y.spec() && x.dtype().is_float() && x.shape().num_elements() > 0,
        "mse_loss: predictions {} and targets {}: must be alike, floating-point, not empty",
        x.spec(),
        y.spec()
    );
    let difference = x.sub(y);
    let axes: Vec<usize> = (0..x.rank()).collect();
    let sum = difference.mul(&difference).reduce(Reduction::Sum, &axes);
    sum.mul(&sum.full_like(1.0 / x.shape().num_elements() as f64)).into()
}
