//! Images whose pixels are labels: the index of a class, a colour that stands for one, or the number of an object.
//!
//! PNG with a palette (the index counts, as in Pascal VOC), in grey of up to 16 bits or in colour; TIFF of whole
//! numbers; whatever else [`image_file`](super::image_file) decodes without loss.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::DynamicImage;

use crate::readers::tiff_page::{self, Samples};
use crate::target::{LabelMap, Page, PixelClasses};
use crate::{DataError, Result};

/// The pixels of a label image, in rows.
enum Raw {
    Values(Vec<u32>),
    Colours(Vec<[u8; 3]>),
}

/// Reads a label image: classes if it is told what values stand for, numbers of objects if not.
///
/// # Errors
/// [`DataError::Read`] and [`DataError::Image`] if it cannot be read or decoded, [`DataError::PixelValue`] for a value
/// that stands for nothing.
pub fn read(page: &Page, classes: Option<&PixelClasses>, map: &mut LabelMap) -> Result<()> {
    let (raw, [height, width]) = raw(page)?;
    (map.height, map.width) = (height, width);
    map.labels.clear();
    let wrong = |place: usize, value: String| DataError::PixelValue {
        path: page.path.clone(),
        x: place % width.max(1),
        y: place / width.max(1),
        value,
    };
    match (raw, classes) {
        (Raw::Values(values), Some(classes)) => {
            // Nearly all images have few values.
            let mut table = [None; 256];
            (0..256).for_each(|value| table[value] = classes.values.get(&(value as u16)).copied());
            for (place, &value) in values.iter().enumerate() {
                let class = match table.get(value as usize) {
                    Some(class) => *class,
                    None => u16::try_from(value).ok().and_then(|value| classes.values.get(&value).copied()),
                };
                map.labels.push(class.ok_or_else(|| wrong(place, value.to_string()))?);
            }
        }
        (Raw::Values(values), None) => {
            for (place, &value) in values.iter().enumerate() {
                map.labels.push(u16::try_from(value).map_err(|_| wrong(place, value.to_string()))?);
            }
        }
        (Raw::Colours(colours), Some(classes)) => {
            let mut last = ([0; 3], classes.colours.get(&[0; 3]).copied());
            for (place, &colour) in colours.iter().enumerate() {
                if last.0 != colour {
                    last = (colour, classes.colours.get(&colour).copied());
                }
                map.labels.push(last.1.ok_or_else(|| wrong(place, format!("{colour:?}")))?);
            }
        }
        (Raw::Colours(_), None) => {
            let reason = "is in colour; the pixels of objects are grey values of up to 16 bits".to_string();
            return Err(DataError::Image { path: page.path.clone(), reason });
        }
    }
    Ok(())
}

/// The values that a label image has, in order; nothing if it is in colour.
pub(crate) fn values(page: &Page) -> Result<Option<Vec<u32>>> {
    let (raw, _) = raw(page)?;
    let Raw::Values(mut values) = raw else { return Ok(None) };
    values.sort_unstable();
    values.dedup();
    Ok(Some(values))
}

fn raw(page: &Page) -> Result<(Raw, [usize; 2])> {
    let path = &page.path;
    let bytes = fs::read(path).map_err(DataError::read(path))?;
    if bytes.starts_with(b"\x89PNG") {
        return png(&bytes, path);
    }
    if bytes.starts_with(b"II") || bytes.starts_with(b"MM") {
        let tiff_page::TiffPage { geometry, samples } = tiff_page::read(path, page.number)?;
        return match samples {
            Samples::Whole(values, _) if geometry.channels == 1 => {
                Ok((Raw::Values(values), [geometry.height, geometry.width]))
            }
            _ => Err(not_labels(path)),
        };
    }
    let image = image::load_from_memory(&bytes)
        .map_err(|error| DataError::Image { path: path.clone(), reason: error.to_string() })?;
    let size = [image.height() as usize, image.width() as usize];
    let raw = match image {
        DynamicImage::ImageLuma8(grey) => Raw::Values(grey.iter().map(|&value| value.into()).collect()),
        DynamicImage::ImageLuma16(grey) => Raw::Values(grey.iter().map(|&value| value.into()).collect()),
        image => Raw::Colours(image.to_rgb8().as_chunks::<3>().0.to_vec()),
    };
    Ok((raw, size))
}

fn not_labels(path: &Path) -> DataError {
    DataError::Image {
        path: path.to_owned(),
        reason: "its pixels are no labels: write one whole number a pixel".into(),
    }
}

/// Without the palette's colours, which is why the `image` crate will not do.
fn png(bytes: &[u8], path: &Path) -> Result<(Raw, [usize; 2])> {
    let wrong = |error: png::DecodingError| DataError::Image { path: path.to_owned(), reason: error.to_string() };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(wrong)?;
    let size = reader.output_buffer_size().ok_or_else(|| not_labels(path))?;
    let mut samples = vec![0; size];
    let info = reader.next_frame(&mut samples).map_err(wrong)?;
    let (height, width) = (info.height as usize, info.width as usize);
    let channels = info.color_type.samples();
    let wide = info.bit_depth == png::BitDepth::Sixteen;
    let rows = samples.chunks_exact(info.line_size.max(1)).take(height);
    let raw = match info.color_type {
        png::ColorType::Indexed | png::ColorType::Grayscale | png::ColorType::GrayscaleAlpha => {
            let bits = info.bit_depth as usize;
            let value = |row: &[u8], column: usize| match wide {
                true => u32::from(u16::from_be_bytes([row[2 * column * channels], row[2 * column * channels + 1]])),
                false if bits == 8 => u32::from(row[column * channels]),
                false => {
                    let bit = column * bits;
                    u32::from(row[bit / 8] >> (8 - bits - bit % 8)) & ((1 << bits) - 1)
                }
            };
            Raw::Values(rows.flat_map(|row| (0..width).map(move |column| value(row, column))).collect())
        }
        png::ColorType::Rgb | png::ColorType::Rgba => {
            let step = if wide { 2 } else { 1 };
            let colour = |pixel: &[u8]| [pixel[0], pixel[step], pixel[2 * step]];
            Raw::Colours(rows.flat_map(|row| row.chunks_exact(channels * step).take(width).map(colour)).collect())
        }
    };
    Ok((raw, [height, width]))
}
