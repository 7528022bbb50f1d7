//! Another size by linear interpolation.

use crate::transforms::Scratch;
use crate::transforms::projection::Projection;
use crate::transforms::warp::{Area, Outside, warp};
use crate::{Geometry, ImageBuffer};

/// Gives an image another size: bilinear when it grows, and averaged with a triangle as wide as two new pixels when it
/// shrinks, so that nothing is skipped. Edges are not padded.
///
/// # Source
/// The definition of Pillow's `BILINEAR` (and of torchvision's with `antialias=True`). Own code because the `image`
/// crate clamps floats to 0..1, and because its sums must not depend on the processor's vector instructions.
///
/// ```
/// use gyrus_data::transforms::{Scratch, resize};
/// use gyrus_data::{Geometry, ImageBuffer};
/// let mut image = ImageBuffer::from_pixels(Geometry::new(1, 2, 1), vec![0.0, 1.0]);
/// resize(&mut image, 1, 4, &mut Scratch::default());
/// assert_eq!(image.pixels(), [0.0, 0.25, 0.75, 1.0]);
/// ```
pub fn resize(image: &mut ImageBuffer, height: usize, width: usize, scratch: &mut Scratch) {
    let from = image.geometry();
    if (from.height, from.width) == (height, width) {
        return;
    }
    let mut target = std::mem::take(&mut scratch.image);
    target.reshape(Geometry { height, width, ..from });
    let projection = Projection::scaling(width as f64 / from.width as f64, height as f64 / from.height as f64);
    let area = Area::whole(target.geometry());
    warp(image, &mut target, &projection, area, Outside::Edge, scratch);
    scratch.image = std::mem::replace(image, target);
}
