//! Another size without another scale.

use crate::transforms::Scratch;
use crate::{Geometry, ImageBuffer};

/// Puts an image into the middle of a frame of this size: it is padded with `fill` where it is smaller, and cut where
/// it is larger. Where the difference is odd, the further side (right, bottom) gets the odd row.
///
/// ```
/// use gyrus_data::transforms::{Scratch, place};
/// use gyrus_data::{Geometry, ImageBuffer};
/// let mut image = ImageBuffer::from_pixels(Geometry::new(1, 3, 1), vec![1.0, 2.0, 3.0]);
/// place(&mut image, 2, 2, 0.5, &mut Scratch::default());
/// assert_eq!(image.pixels(), [1.0, 2.0, 0.5, 0.5]);
/// ```
pub fn place(image: &mut ImageBuffer, height: usize, width: usize, fill: f32, scratch: &mut Scratch) {
    let from = image.geometry();
    if (from.height, from.width) == (height, width) {
        return;
    }
    let frame = &mut scratch.image;
    frame.reshape(Geometry { height, width, ..from });
    frame.pixels_mut().fill(fill);
    let (top, first_row, num_rows) = overlap(from.height, height);
    let (left, first_column, num_columns) = overlap(from.width, width);
    for channel in 0..from.channels {
        for row in 0..num_rows {
            let source = (channel * from.height + first_row + row) * from.width + first_column;
            let target = (channel * height + top + row) * width + left;
            frame.pixels_mut()[target..target + num_columns]
                .copy_from_slice(&image.pixels()[source..source + num_columns]);
        }
    }
    std::mem::swap(image, frame);
}

/// Where in the frame an axis begins, where in the image, and how much of it there is.
fn overlap(from: usize, to: usize) -> (usize, usize, usize) {
    (to.saturating_sub(from) / 2, from.saturating_sub(to) / 2, from.min(to))
}
