//! JPEG files.
//!
//! The decoder of the `image` crate's own choice, without the detour: its headers are read once, and not once for each
//! question, which for small images is half of the work.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::readers::image_file::{convert, take, wrong};
use crate::readers::jpeg_end;
use crate::{Geometry, ImageBuffer, Result};

/// Decodes a JPEG file in one channel or three; the path is for messages.
pub(super) fn decode(bytes: &[u8], path: &Path, channels: usize, image: &mut ImageBuffer) -> Result<()> {
    if !jpeg_end::is_complete(bytes) {
        return Err(wrong(path)("the JPEG file is cut short"));
    }
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(1 << 16).set_max_height(1 << 16);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(wrong(path))?;
    let is_grey = matches!(decoder.input_colorspace(), Some(ColorSpace::Luma | ColorSpace::LumaA));
    let (space, decoded_channels) = if is_grey { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let samples = decoder.decode().map_err(wrong(path))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| wrong(path)("it tells no size"))?;
    if samples.len() != width * height * decoded_channels {
        return Err(wrong(path)("it has not as many pixels as it promises"));
    }
    match orientation {
        None | Some(Orientation::NoTransforms) => {
            image.reshape(Geometry::new(height, width, channels));
            convert(decoded_channels, &samples, |sample| f32::from(sample) / 255.0, image);
        }
        Some(orientation) => {
            let size = (width as u32, height as u32);
            let decoded = match is_grey {
                true => image::GrayImage::from_raw(size.0, size.1, samples).map(DynamicImage::from),
                false => RgbImage::from_raw(size.0, size.1, samples).map(DynamicImage::from),
            };
            take(decoded.ok_or_else(|| wrong(path)("its size is wrong"))?, orientation, channels, image);
        }
    }
    Ok(())
}
