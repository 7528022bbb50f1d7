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

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::readers::jpeg;
use crate::readers::tiff_page::{self, Samples, TiffPage};
use crate::target::Page;
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
    let mut file = BufReader::new(file);
    let mut decoder = decoder(&mut file, path)?;
    let (width, height) = decoder.dimensions();
    let channels = if decoder.color_type().has_color() { 3 } else { 1 };
    let is_turned = decoder.orientation().is_ok_and(|orientation| orientation.to_exif() >= 5);
    let (height, width) = if is_turned { (width, height) } else { (height, width) };
    Ok(Geometry::new(height as usize, width as usize, channels))
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
    take_page(tiff_page::read(&page.path, page.number)?, channels, image);
    Ok(())
}

fn take_page(page: TiffPage, channels: usize, image: &mut ImageBuffer) {
    let TiffPage { geometry, samples } = page;
    image.reshape(Geometry { channels, ..geometry });
    match samples {
        Samples::Whole(numbers, white) => {
            let value = |number: u32| (f64::from(number) / white) as f32;
            convert(geometry.channels, &numbers, value, image);
        }
        Samples::Floats(numbers) => convert(geometry.channels, &numbers, |number| number, image),
    }
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
    if bytes.starts_with(&[0xFF, 0xD8]) {
        return jpeg::decode(bytes, path, channels, image);
    }
    let mut source = Cursor::new(bytes);
    let decoder = decoder(&mut source, path);
    let is_tiff = bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*");
    // Floats of one channel, which microscopes write, are known to one of the two decoders only.
    if is_tiff
        && decoder.is_err()
        && let Ok(page) = tiff_page::decode(bytes, path)
    {
        take_page(page, channels, image);
        return Ok(());
    }
    let mut decoder = decoder?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(|error| wrong(path)(error))?;
    take(decoded, orientation, channels, image);
    Ok(())
}

/// From what a decoder gives to an image in one channel or three.
pub(super) fn take(mut decoded: DynamicImage, orientation: Orientation, channels: usize, image: &mut ImageBuffer) {
    decoded.apply_orientation(orientation);
    image.reshape(Geometry::new(decoded.height() as usize, decoded.width() as usize, channels));
    let color = decoded.color();
    let byte = |sample: u8| sample as f32 / 255.0;
    match color {
        ColorType::L8 => convert(1, decoded.as_bytes(), byte, image),
        ColorType::La8 => convert(2, decoded.as_bytes(), byte, image),
        ColorType::Rgb8 => convert(3, decoded.as_bytes(), byte, image),
        ColorType::Rgba8 => convert(4, decoded.as_bytes(), byte, image),
        _ => match (color.has_color(), color.has_alpha()) {
            (false, false) => convert(1, &decoded.to_luma32f(), |sample| sample, image),
            (false, true) => convert(2, &decoded.to_luma_alpha32f(), |sample| sample, image),
            (true, false) => convert(3, &decoded.to_rgb32f(), |sample| sample, image),
            (true, true) => convert(4, &decoded.to_rgba32f(), |sample| sample, image),
        },
    }
}

pub(super) fn wrong<E: ToString>(path: &Path) -> impl FnOnce(E) -> DataError {
    move |reason| DataError::Image { path: path.to_owned(), reason: reason.to_string() }
}

/// What a decoder reads from: a trait object, so that all decoders are compiled once.
trait Source: BufRead + Seek {}

impl<S: BufRead + Seek> Source for S {}

fn decoder<'a>(source: &'a mut dyn Source, path: &Path) -> Result<impl ImageDecoder + use<'a>> {
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

/// From interleaved samples (grey, grey and alpha, RGB, RGB and alpha) to the image's channels.
pub(super) fn convert<T: Copy>(channels: usize, samples: &[T], value: impl Fn(T) -> f32, image: &mut ImageBuffer) {
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
