//! Gradients without their noise.

use gyrus_tensor::Tensor;

use super::{Look, gradient};

/// The mean of the gradients of a class's score over copies of an image with noise, `1/n sum_i dS(x + e_i)/dx`: shown, as
/// the gradient itself, by its greatest size among the channels.
///
/// # Shapes
/// `image` `[1, C, H, W]`, `noise` `[n, C, H, W]`; the mean `[1, C, H, W]`.
///
/// # Panics
/// If there is no such class.
///
/// # Source
/// Smilkov et al., SmoothGrad: removing noise by adding noise (2017), equation 2.
#[track_caller]
pub fn smooth_gradient(look: Look, image: &Tensor, noise: &Tensor, class: usize) -> Tensor {
    let num_noisy = noise.shape()[0];
    // Some at a time, so that a large network finds room.
    const AT_ONCE: usize = 8;
    let mut sum = image.zeros_like();
    for start in (0..num_noisy).step_by(AT_ONCE) {
        let noisy = image + noise.narrow(0, start..(start + AT_ONCE).min(num_noisy));
        let part = gradient(look, &noisy, class).sum(0).unsqueeze(0);
        sum = Tensor::from_vec(image.shape().clone(), (sum + part).to_vec::<f32>());
    }
    sum / num_noisy as f64
}
