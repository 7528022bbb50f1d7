//! Keeping gradients small.

use gyrus_tensor::{Gradients, Tensor};

/// The Euclidean norm of all gradients together, `sqrt(sum of g²)`: a scalar.
///
/// # Panics
/// If there are no gradients.
#[track_caller]
pub fn global_norm(gradients: &Gradients) -> Tensor {
    let squares = gradients.iter().map(|gradient| gradient.square().sum(..));
    squares.reduce(|sum, square| sum + square).expect("global_norm: there are no gradients").sqrt()
}

/// Scales all gradients by one factor, `min(1, max_norm / (norm + 1e-6))`, so that their Euclidean norm together
/// is at most `max_norm`. Returns them and the norm that they had, a scalar.
///
/// # Panics
/// If there are no gradients.
///
/// # Source
/// Pascanu et al., On the difficulty of training recurrent neural networks (2013), algorithm 1; the 1e-6 is
/// PyTorch's.
#[track_caller]
pub fn clip_by_global_norm(gradients: &Gradients, max_norm: f64) -> (Gradients, Tensor) {
    let norm = global_norm(gradients);
    let factor = (max_norm / (&norm + 1e-6)).minimum(1.0);
    (gradients.map(|gradient| (gradient * &factor).to_dtype(gradient.dtype())), norm)
}

/// Bounds each element of the gradients to `±limit`.
pub fn clip_by_value(gradients: &Gradients, limit: f64) -> Gradients {
    gradients.map(|gradient| gradient.clamp(-limit, limit))
}
