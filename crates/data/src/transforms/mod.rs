//! From an image as it was read to what a net is given.

mod affine;
mod augment;
pub(crate) mod axis_weights;
mod blur;
mod crop;
mod elastic;
mod erase;
mod flip;
mod jitter;
pub(crate) mod mixing;
mod operation;
mod perspective;
mod preprocess;
pub(crate) mod projection;
mod rand_augment;
mod resize;
pub(crate) mod scene;
mod setting;
mod statistics;
pub mod tone;
pub(crate) mod warp;

pub use affine::Affine;
pub use augment::Augment;
pub(crate) use augment::Moment;
pub use blur::{Blur, Noise, gaussian};
pub use crop::{Crop, Shift};
pub use elastic::Elastic;
pub use erase::Erase;
pub use flip::{Flip, VerticalFlip};
pub use jitter::{Grey, Jitter};
pub use mixing::{CutMix, MixUp, Mosaic};
pub use operation::Operation;
pub use perspective::Perspective;
pub use preprocess::{Preprocess, Resize};
pub use projection::Projection;
pub use rand_augment::RandAugment;
pub use resize::resize;
pub use statistics::Statistics;
pub use warp::{Area, Outside, warp};

use crate::ImageBuffer;

/// Memory that transforms use again from image to image. One a thread.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    image: ImageBuffer,
    reduced: ImageBuffer,
    fields: [Vec<f32>; 3],
    labels: Vec<u16>,
    line: Vec<f32>,
    lanes: Vec<[f32; 8]>,
    columns: axis_weights::AxisWeights,
    rows: axis_weights::AxisWeights,
}
