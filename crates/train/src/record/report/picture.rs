//! Small pictures inside the page.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gyrus_draw::Picture;

/// The longer side of a picture, at most: a report of dozens stays small.
const MAX_SIDE: usize = 128;

/// An image as an address that holds it all: `data:image/png;base64,…`. Large ones are made smaller,
/// small ones larger, by a whole factor: a browser would blur them.
///
/// One channel is grey, three are red, green and blue; of any other number the first is shown. 0 is black and 1 is
/// white; numbers beyond are cut off.
///
/// # Shapes
/// `pixels` `[C, H, W]`.
///
/// # Panics
/// If the number of pixels is not `channels * height * width`, or that is nothing.
///
/// ```
/// let dot = gyrus_train::record::picture(1, 1, 1, &[0.5]);
/// assert!(dot.starts_with("data:image/png;base64,"));
/// ```
#[track_caller]
pub fn picture(channels: usize, height: usize, width: usize, pixels: &[f32]) -> String {
    address(&Picture::from_planar(channels, height, width, pixels).fitted(MAX_SIDE).png())
}

/// A PNG file as an address that holds it all.
pub(super) fn address(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png))
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

    use super::*;

    fn decoded(address: &str) -> DynamicImage {
        let text = address.strip_prefix("data:image/png;base64,").unwrap();
        image::load_from_memory(&BASE64_STANDARD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn grey_and_colour_come_back() {
        let grey = decoded(&picture(1, 1, 3, &[0.0, 1.0, 7.0])).to_luma8();
        assert_eq!(grey.dimensions(), (126, 42));
        assert_eq!([0, 41, 42, 125].map(|x| grey.get_pixel(x, 20).0[0]), [0, 0, 255, 255]);
        let colour = decoded(&picture(3, 1, 2, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.2])).to_rgb8();
        assert_eq!((colour.get_pixel(0, 0).0, colour.get_pixel(127, 63).0), ([255, 0, 0], [0, 255, 51]));
    }

    #[test]
    fn large_ones_are_made_smaller_and_keep_their_form() {
        let small = decoded(&picture(1, 300, 600, &vec![0.5; 180_000]));
        assert_eq!((small.width(), small.height()), (128, 64));
    }
}
