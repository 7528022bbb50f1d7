//! How much the score changes with each pixel.

use gyrus_tensor::Tensor;

use super::{Look, gradient};

/// The gradient of a class's score with respect to an image, `dS/dx`: shown by its greatest size among the channels.
///
/// # Shapes
/// `image` and the gradient `[1, C, H, W]`.
///
/// # Panics
/// If there is no such class.
///
/// # Source
/// Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks (2014), section 3.
#[track_caller]
pub fn saliency(look: Look, image: &Tensor, class: usize) -> Tensor {
    gradient(look, image, class)
}
