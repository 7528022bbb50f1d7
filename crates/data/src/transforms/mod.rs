//! From an image as it was read to what a net is given.

mod affine;
mod augment;
mod augment_text;
mod elastic;
mod erase;
mod flip;
mod place;
mod preprocess;
mod resize;
mod statistics;

pub use affine::Affine;
pub use augment::{Augment, Operation};
pub use elastic::Elastic;
pub use erase::Erase;
pub use flip::Flip;
pub use place::place;
pub use preprocess::{Preprocess, Resize};
pub use resize::resize;
pub use statistics::Statistics;

use crate::ImageBuffer;

/// Memory that transforms use again from image to image. One a thread.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    image: ImageBuffer,
    fields: [Vec<f32>; 3],
    columns: resize::AxisWeights,
    rows: resize::AxisWeights,
}
