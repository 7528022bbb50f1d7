//! Image files: PNG, JPEG, BMP, GIF, WebP, TIFF, PNM and PAM; the decoders are in `picture`.
//!
//! - The orientation that a camera notes down in EXIF is applied.
//! - Transparency is laid on white.
//! - 8-bit and 16-bit samples are scaled so that 0 is black and 1 is white; floats stand as they are.
//! - Where one channel is wanted, colour becomes grey by Rec. 601 (0.299 R + 0.587 G + 0.114 B), as in Pillow and
//!   OpenCV; where three are wanted, grey is repeated.
//! - Of animations and files of many pages the first picture is read.

use std::fs;
use std::path::Path;

use crate::readers::picture::{self, Header, Picture, Samples};
use crate::target::Page;
use crate::{DataError, Geometry, ImageBuffer, Result};

/// Whether a file's extension is that of an image.
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| picture::extensions().any(|known| known == extension))
}

/// The size of an image file, as it will be read, and whether it has colour (3 channels) or not (1), from its header.
///
/// # Errors
/// [`DataError::Read`] and [`DataError::Image`] if the file cannot be read, or its header not be understood.
pub fn probe(path: &Path) -> Result<Geometry> {
    let Header { width, height, channels, orientation } = picture::header(path)?;
    let [height, width] = orientation.size([height, width]);
    Ok(Geometry::new(height, width, if channels < 3 { 1 } else { 3 }))
}

/// Reads the first image of a file in one channel or three.
///
/// # Errors
/// [`DataError::Read`] if the file cannot be read, [`DataError::Image`] if it cannot be decoded.
pub fn read(path: &Path, channels: usize, image: &mut ImageBuffer) -> Result<()> {
    let bytes = fs::read(path).map_err(DataError::read(path))?;
    decode(&bytes, path, channels, image)
}

/// Reads an image of a file of many.
///
/// # Errors
/// As [`read`].
pub fn read_page(page: &Page, channels: usize, image: &mut ImageBuffer) -> Result<()> {
    if page.number == 0 {
        return read(&page.path, channels, image);
    }
    take(&picture::tiff::read(&page.path, page.number)?, channels, image);
    Ok(())
}

/// Decodes the bytes of an image file in one channel or three; the path is for messages.
///
/// # Errors
/// [`DataError::Image`] if they cannot be decoded.
///
/// # Panics
/// If `channels` is neither 1 nor 3.
#[track_caller]
pub fn decode(bytes: &[u8], path: &Path, channels: usize, image: &mut ImageBuffer) -> Result<()> {
    assert!(channels == 1 || channels == 3, "decode: {channels} channels wanted; images have 1 or 3");
    take(&picture::decode(bytes, path)?, channels, image);
    Ok(())
}

/// From what a decoder gives to an image in one channel or three.
fn take(Picture { header, samples }: &Picture, channels: usize, image: &mut ImageBuffer) {
    image.reshape(Geometry::new(header.height, header.width, channels));
    match samples {
        Samples::Bytes(samples) => convert(header.channels, samples, |byte| f32::from(byte) / 255.0, image),
        Samples::Whole(samples, white) => {
            convert(header.channels, samples, |number| (f64::from(number) / white) as f32, image);
        }
        Samples::Floats(samples) => convert(header.channels, samples, |number| number, image),
    }
    header.orientation.apply(image);
}

/// From interleaved samples (grey, grey and alpha, RGB, RGB and alpha) to the image's channels.
fn convert<T: Copy>(channels: usize, samples: &[T], value: impl Fn(T) -> f32, image: &mut ImageBuffer) {
    match (channels, image.geometry().channels) {
        (1, _) => convert_pixels::<1, 1, _>(samples, |pixel| pixel.map(&value), image),
        (2, _) => convert_pixels::<2, 1, _>(samples, |pixel| on_white(pixel.map(&value)), image),
        (3, 1) => convert_pixels::<3, 1, _>(samples, |pixel| [luma(pixel.map(&value))], image),
        (3, _) => convert_pixels::<3, 3, _>(samples, |pixel| pixel.map(&value), image),
        (_, 1) => convert_pixels::<4, 1, _>(samples, |pixel| [luma(on_white(pixel.map(&value)))], image),
        _ => convert_pixels::<4, 3, _>(samples, |pixel| on_white(pixel.map(&value)), image),
    }
}

/// The first channels of `M` are made of each pixel; further ones repeat the first.
fn convert_pixels<const N: usize, const M: usize, T: Copy>(
    samples: &[T],
    pixel: impl Fn([T; N]) -> [f32; M],
    image: &mut ImageBuffer,
) {
    let num_pixels = image.geometry().num_pixels();
    let (pixels, _) = samples.as_chunks::<N>();
    let (first, others) = image.pixels_mut().split_at_mut(M * num_pixels);
    let mut planes = first.chunks_exact_mut(num_pixels.max(1));
    let mut planes: [&mut [f32]; M] = std::array::from_fn(|_| planes.next().unwrap_or_default());
    for (place, samples) in pixels.iter().enumerate().take(num_pixels) {
        for (plane, value) in planes.iter_mut().zip(pixel(*samples)) {
            plane[place] = value;
        }
    }
    others.chunks_exact_mut(num_pixels.max(1)).for_each(|other| other.copy_from_slice(&first[..num_pixels]));
}

/// Lays what is transparent on white; the last channel is how opaque it is.
fn on_white<const N: usize, const M: usize>(pixel: [f32; N]) -> [f32; M] {
    let alpha = pixel[N - 1];
    std::array::from_fn(|channel| pixel[channel] * alpha + (1.0 - alpha))
}

/// Grey by Rec. 601; what is grey already stays exactly as it is.
pub(crate) fn luma([red, green, blue]: [f32; 3]) -> f32 {
    if red == green && green == blue { red } else { 0.299 * red + 0.587 * green + 0.114 * blue }
}
