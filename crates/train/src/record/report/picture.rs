//! Small pictures inside the page.

use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

/// The longer side of a picture, at most: a report of dozens stays small.
const MAX_SIDE: u32 = 128;

/// An image as an address that holds it all: `data:image/png;base64,…`. Large ones are made smaller,
/// small ones larger, by a whole factor.
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
    let area = height * width;
    assert!(
        area > 0 && channels > 0 && pixels.len() == channels * area,
        "picture: {} numbers and {channels}x{height}x{width}: there must be one for each channel and pixel",
        pixels.len(),
    );
    let byte = |channel: usize, place: usize| (pixels[channel * area + place].clamp(0.0, 1.0) * 255.0).round() as u8;
    let (columns, rows) = (width as u32, height as u32);
    let image = if channels == 3 {
        let bytes = (0..area).flat_map(|place| [0, 1, 2].map(|channel| byte(channel, place))).collect();
        RgbImage::from_raw(columns, rows, bytes).map(DynamicImage::from)
    } else {
        let bytes = (0..area).map(|place| byte(0, place)).collect();
        GrayImage::from_raw(columns, rows, bytes).map(DynamicImage::from)
    };
    let image = image.expect("as many bytes as pixels");
    let image = match MAX_SIDE / columns.max(rows) {
        0 => image.thumbnail(MAX_SIDE, MAX_SIDE),
        1 => image,
        // A browser would blur the pixels of small images: whole factors keep them.
        factor => image.resize_exact(columns * factor, rows * factor, FilterType::Nearest),
    };
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).expect("memory takes all that is written");
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png.into_inner()))
}

#[cfg(test)]
mod tests {
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
