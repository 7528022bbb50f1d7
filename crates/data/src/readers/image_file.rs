//! Image files: PNG, JPEG, BMP, GIF, WebP, TIFF and PNM.
//!
//! - The orientation that a camera notes down in EXIF is applied.
//! - Transparency is laid on white.
//! - 8-bit and 16-bit samples are scaled so that 0 is black and 1 is white; floats stand as they are.
//! - Where one channel is wanted, colour becomes grey by Rec. 601 (0.299 R + 0.587 G + 0.114 B), as in Pillow and
//!   OpenCV; where three are wanted, grey is repeated.
//! - Of animations and files of many pages the first picture is read.

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::readers::jpeg_end;
use crate::{DataError, Geometry, ImageBuffer, Result};

/// The extensions of the files that are taken for images, in small letters.
pub const EXTENSIONS: [&str; 13] =
    ["png", "jpg", "jpeg", "jfif", "bmp", "gif", "webp", "tif", "tiff", "pnm", "pbm", "pgm", "ppm"];

/// Whether a file's extension is that of an image.
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// The size of an image file, as it will be read, and whether it has colour (3 channels) or not (1), from its header.
///
/// # Errors
/// [`DataError::Read`] and [`DataError::Image`] if the file cannot be read, or its header not be understood.
pub fn probe(path: &Path) -> Result<Geometry> {
    let file = fs::File::open(path).map_err(DataError::read(path))?;
    let mut decoder = decoder(BufReader::new(file), path)?;
    let (width, height) = decoder.dimensions();
    let channels = if decoder.color_type().has_color() { 3 } else { 1 };
    let is_turned = decoder.orientation().is_ok_and(|orientation| orientation.to_exif() >= 5);
    let (height, width) = if is_turned { (width, height) } else { (height, width) };
    Ok(Geometry::new(height as usize, width as usize, channels))
}

/// Reads an image file in one channel or three.
///
/// # Errors
/// [`DataError::Read`] if the file cannot be read, [`DataError::Image`] if it cannot be decoded.
pub fn read(path: &Path, channels: usize, image: &mut ImageBuffer) -> Result<()> {
    let bytes = fs::read(path).map_err(DataError::read(path))?;
    decode(&bytes, path, channels, image)
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
    if bytes.is_empty() {
        return Err(wrong(path)("the file is empty"));
    }
    if bytes.starts_with(&[0xFF, 0xD8]) && !jpeg_end::is_complete(bytes) {
        return Err(wrong(path)("the JPEG file is cut short"));
    }
    let mut decoder = decoder(Cursor::new(bytes), path)?;
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| wrong(path)(error))?;
    decoded.apply_orientation(orientation);
    image.reshape(Geometry::new(decoded.height() as usize, decoded.width() as usize, channels));
    let color = decoded.color();
    let byte = |sample: u8| sample as f32 / 255.0;
    match color {
        ColorType::L8 => convert::<1, _>(decoded.as_bytes(), byte, image),
        ColorType::La8 => convert::<2, _>(decoded.as_bytes(), byte, image),
        ColorType::Rgb8 => convert::<3, _>(decoded.as_bytes(), byte, image),
        ColorType::Rgba8 => convert::<4, _>(decoded.as_bytes(), byte, image),
        _ => match (color.has_color(), color.has_alpha()) {
            (false, false) => convert::<1, _>(&decoded.to_luma32f(), |sample| sample, image),
            (false, true) => convert::<2, _>(&decoded.to_luma_alpha32f(), |sample| sample, image),
            (true, false) => convert::<3, _>(&decoded.to_rgb32f(), |sample| sample, image),
            (true, true) => convert::<4, _>(&decoded.to_rgba32f(), |sample| sample, image),
        },
    }
    Ok(())
}

fn wrong<E: ToString>(path: &Path) -> impl FnOnce(E) -> DataError {
    move |reason| DataError::Image { path: path.to_owned(), reason: reason.to_string() }
}

fn decoder<'a>(source: impl BufRead + Seek + 'a, path: &Path) -> Result<impl ImageDecoder + 'a> {
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(DataError::read(path))?;
    if reader.format().is_none() {
        // The bytes tell nothing, so that the name may: it makes the decoder's own message appear.
        match ImageFormat::from_path(path) {
            Ok(format) => reader.set_format(format),
            Err(_) => return Err(wrong(path)("it is in none of the known image formats")),
        }
    }
    reader.into_decoder().map_err(wrong(path))
}

/// From interleaved samples of `N` channels (grey, grey and alpha, RGB, RGB and alpha) to the image's channels.
fn convert<const N: usize, T: Copy>(samples: &[T], value: impl Fn(T) -> f32, image: &mut ImageBuffer) {
    let Geometry { channels, .. } = image.geometry();
    let num_pixels = image.geometry().num_pixels();
    let (pixels, _) = samples.as_chunks::<N>();
    for (place, pixel) in pixels.iter().enumerate() {
        let mut pixel = pixel.map(&value);
        if N == 2 || N == 4 {
            let alpha = pixel[N - 1];
            pixel[..N - 1].iter_mut().for_each(|sample| *sample = *sample * alpha + (1.0 - alpha));
        }
        let out = image.pixels_mut();
        match (N >= 3, channels) {
            (false, 1) => out[place] = pixel[0],
            (false, _) => (0..channels).for_each(|channel| out[channel * num_pixels + place] = pixel[0]),
            (true, 1) => out[place] = luma([pixel[0], pixel[1], pixel[2]]),
            (true, _) => (0..channels).for_each(|channel| out[channel * num_pixels + place] = pixel[channel]),
        }
    }
}

/// Grey by Rec. 601; what is grey already stays exactly as it is.
pub(crate) fn luma([red, green, blue]: [f32; 3]) -> f32 {
    if red == green && green == blue { red } else { 0.299 * red + 0.587 * green + 0.114 * blue }
}
