//! Images whose pixels are labels: the index of a class, a colour that stands for one, or the number of an object.
//!
//! PNG with a palette (the index counts, as in Pascal VOC), in grey of up to 16 bits or in colour; TIFF of whole
//! numbers; whatever else [`image_file`](super::image_file) decodes without loss.

use std::fs;

use crate::readers::picture::{self, Header, Picture, Samples};
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
    let Picture { header: Header { width, height, channels, .. }, samples } = match page.number {
        0 => picture::decode_labels(&fs::read(path).map_err(DataError::read(path))?, path)?,
        number => picture::tiff::read(path, number)?,
    };
    let raw = match samples {
        Samples::Bytes(bytes) if channels < 3 => {
            Raw::Values(bytes.into_iter().step_by(channels).map(u32::from).collect())
        }
        Samples::Whole(numbers, _) if channels < 3 => Raw::Values(numbers.into_iter().step_by(channels).collect()),
        Samples::Bytes(bytes) => {
            Raw::Colours(bytes.chunks_exact(channels).map(|pixel| [0, 1, 2].map(|c| pixel[c])).collect())
        }
        Samples::Whole(numbers, white) => {
            let byte = |number: u32| (f64::from(number) * 255.0 / white).round() as u8;
            Raw::Colours(numbers.chunks_exact(channels).map(|pixel| [0, 1, 2].map(|c| byte(pixel[c]))).collect())
        }
        Samples::Floats(_) => {
            let reason = "its pixels are no labels: write one whole number a pixel".to_string();
            return Err(DataError::Image { path: path.clone(), reason });
        }
    };
    Ok((raw, [height, width]))
}
