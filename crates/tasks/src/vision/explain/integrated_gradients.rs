//! What each pixel adds on the way from nothing to the image.

use gyrus_tensor::Tensor;

use super::{Look, gradient, scores_of};

/// The straight way from an image of nothing to the image.
pub struct Path<'a> {
    /// Where it begins, `[1, C, H, W]`.
    pub baseline: &'a Tensor,
    /// How many gradients are taken along it.
    pub steps: usize,
}

/// What each number of an image adds to the score of a class, and the completeness gap.
///
/// ```text
/// a = (x - b) * 1/n sum_{i=1..n} dS(b + (i - 1/2)/n (x - b))/dx,   gap = sum a - (S(x) - S(b))
/// ```
///
/// With ever more steps the gap vanishes.
///
/// # Shapes
/// `image` and the attributions `[1, C, H, W]`.
///
/// # Panics
/// If there is no such class.
///
/// # Source
/// Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks (2017), equations 1 and 3, and proposition 1; the
/// integral by the midpoint rule.
#[track_caller]
pub fn integrated_gradients(look: Look, image: &Tensor, path: &Path, class: usize) -> (Tensor, f64) {
    let Path { baseline, steps } = *path;
    const AT_ONCE: usize = 8;
    let way = image - baseline;
    let mut sum = image.zeros_like();
    let places: Vec<f32> = (0..steps).map(|step| (step as f32 + 0.5) / steps as f32).collect();
    for places in places.chunks(AT_ONCE) {
        let places = Tensor::from_slice([places.len(), 1, 1, 1], places).to(image.device());
        let part = gradient(look, &(baseline + &way * places), class).sum(0).unsqueeze(0);
        sum = Tensor::from_vec(image.shape().clone(), (sum + part).to_vec::<f32>());
    }
    let attributions = way * sum / steps as f64;
    let total: f64 = attributions.to_vec::<f32>().into_iter().map(f64::from).sum();
    let [of_image, of_baseline] = [image, baseline].map(|image| scores_of(look, image, class).sum(..).item());
    (attributions, total - (of_image - of_baseline))
}
