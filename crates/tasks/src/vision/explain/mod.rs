//! Why a model says what it says: which parts of an image speak for a class. A file for each method.
//!
//! A method sees a network through [`Look`] alone: a function from images to a map of features and the scores of the
//! classes. What it gives are numbers over the frame that the network sees, which [`Attribution::over`] brings back to
//! the image.

mod check;
mod command;
mod gradcam;
mod integrated_gradients;
mod occlusion;
mod overlay;
mod saliency;
mod smoothgrad;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use gyrus_draw::HeatMap;
use gyrus_tensor::{Rng, Tensor, grad};

pub use check::{Check, check};
pub use command::explain;
pub use gradcam::gradcam;
pub use integrated_gradients::{Path, integrated_gradients};
pub use occlusion::{Window, occlusion};
pub use saliency::saliency;
pub use smoothgrad::smooth_gradient;

/// What an explanation sees of a network in use: of images `[N, C, H, W]` a map of features `[N, K, h, w]`, and the score
/// of each class, `[N, classes]`, before any softmax, which follows from it.
pub type Look<'a> = &'a dyn Fn(&Tensor) -> (Tensor, Tensor);

/// A way to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Features of the last map, by how much the class depends on each.
    GradCam,
    /// How much the score changes with each pixel.
    Saliency,
    /// What each pixel adds on the way from a black image.
    IntegratedGradients,
    /// How much less sure the model is with parts covered.
    Occlusion,
    /// Saliency, as a mean over noise.
    SmoothGrad,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 5] =
        [Method::GradCam, Method::Saliency, Method::IntegratedGradients, Method::Occlusion, Method::SmoothGrad];

    /// What it is asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Method::GradCam => "gradcam",
            Method::Saliency => "saliency",
            Method::IntegratedGradients => "integrated-gradients",
            Method::Occlusion => "occlusion",
            Method::SmoothGrad => "smoothgrad",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Method::ALL.into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| format!("`{text}` is none of {}", Method::ALL.map(Method::name).join(", ")))
    }
}

/// How much each place of what the network saw speaks for a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The numbers, spread over the frame.
    pub map: HeatMap,
    /// Of integrated gradients, by how much their sum misses the difference of the scores that it should be.
    pub gap: Option<f64>,
}

/// How many steps there are from the baseline to the image.
const STEPS: usize = 64;

/// How many images with noise there are, and the noise's standard deviation as a share of the image's range: within what
/// Smilkov et al. recommend.
const NUM_NOISY: usize = 32;
const NOISE: f64 = 0.15;

impl Method {
    /// Explains the score of a class for one image `[1, C, H, W]`, as the network sees it; `black` is such an image that
    /// shows nothing.
    ///
    /// # Panics
    /// If there is no such class.
    #[track_caller]
    pub fn attribute(self, look: Look, image: &Tensor, black: &Tensor, class: usize) -> Attribution {
        let plain = |map: HeatMap| Attribution { map, gap: None };
        match self {
            Method::GradCam => plain(gradcam(look, image, class)),
            Method::Saliency => plain(greatest(&saliency(look, image, class))),
            Method::SmoothGrad => {
                let pixels = image.to_vec::<f32>();
                let (low, high) = pixels.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
                let shape: Vec<usize> = [NUM_NOISY].into_iter().chain(image.shape()[1..].iter().copied()).collect();
                let noise = Rng::new(0).normal(shape, image.dtype(), 0.0, NOISE * f64::from(high - low));
                plain(greatest(&smooth_gradient(look, image, &noise, class)))
            }
            Method::IntegratedGradients => {
                let path = Path { baseline: black, steps: STEPS };
                let (attributions, gap) = integrated_gradients(look, image, &path, class);
                Attribution { map: heat_map(&attributions.sum(1).abs()), gap: Some(gap) }
            }
            Method::Occlusion => {
                let [height, width] = [2, 3].map(|axis| image.shape()[axis]);
                plain(occlusion(look, image, black, &Window::for_frame(height, width), class))
            }
        }
    }
}

/// The scores of a class, `[N]`.
#[track_caller]
fn scores_of(look: Look, images: &Tensor, class: usize) -> Tensor {
    look(images).1.index_axis(1, class as isize)
}

/// The gradients of the scores of a class with respect to the images, `[N, C, H, W]`.
#[track_caller]
fn gradient(look: Look, images: &Tensor, class: usize) -> Tensor {
    grad(&scores_of(look, images, class).sum(..), &[images]).remove(0)
}

/// Of a tensor `[1, C, H, W]` the greatest size among the channels.
fn greatest(attributions: &Tensor) -> HeatMap {
    heat_map(&attributions.abs().max(1))
}

/// A tensor `[1, H, W]` as a heat map.
fn heat_map(tensor: &Tensor) -> HeatMap {
    HeatMap::new(tensor.shape()[2], tensor.shape()[1], tensor.to_vec())
}
