//! The pages of TIFF files, as numbers.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};

use crate::{DataError, Geometry, Result};

/// A page's numbers as they are in the file, channels side by side.
pub(crate) struct TiffPage {
    pub(crate) geometry: Geometry,
    pub(crate) samples: Samples,
}

/// Whole numbers, or floats.
pub(crate) enum Samples {
    /// With the number that is white.
    Whole(Vec<u32>, f64),
    Floats(Vec<f32>),
}

/// How many pages a file has; 1 if it is no TIFF file.
pub(crate) fn count(path: &Path) -> usize {
    let Ok(mut decoder) = open(path) else { return 1 };
    let mut count = 1;
    while decoder.more_images() && decoder.next_image().is_ok() {
        count += 1;
    }
    count
}

fn open(path: &Path) -> Result<Decoder<BufReader<File>>> {
    let file = File::open(path).map_err(DataError::read(path))?;
    Decoder::new(BufReader::new(file)).map_err(wrong(path))
}

/// The first page of the bytes of a file; the path is for messages.
pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<TiffPage> {
    page(Decoder::new(Cursor::new(bytes)).map_err(wrong(path))?, path)
}

fn wrong<E: ToString>(path: &Path) -> impl Fn(E) -> DataError {
    move |error| DataError::Image { path: path.to_owned(), reason: error.to_string() }
}

/// Reads a page.
pub(crate) fn read(path: &Path, number: usize) -> Result<TiffPage> {
    let mut decoder = open(path)?;
    for _ in 0..number {
        decoder.next_image().map_err(wrong(path))?;
    }
    page(decoder, path)
}

fn page<R: Read + Seek>(mut decoder: Decoder<R>, path: &Path) -> Result<TiffPage> {
    let (width, height) = decoder.dimensions().map_err(wrong(path))?;
    let (channels, bits) = match decoder.colortype().map_err(wrong(path))? {
        ColorType::Gray(bits) => (1, bits),
        ColorType::GrayA(bits) => (2, bits),
        ColorType::RGB(bits) => (3, bits),
        ColorType::RGBA(bits) => (4, bits),
        other => return Err(wrong(path)(format!("{other:?} pixels are not read"))),
    };
    let geometry = Geometry::new(height as usize, width as usize, channels);
    let samples = match decoder.read_image().map_err(wrong(path))? {
        // Several pixels of one, two or four bits share a byte, each row beginning anew.
        DecodingResult::U8(bytes) if bits < 8 => {
            let per_row = geometry.width * channels;
            let bytes_per_row = (per_row * bits as usize).div_ceil(8).max(1);
            let unpack = |row: &[u8]| (0..per_row).map(|i| bit_field(row, i, bits)).collect::<Vec<u32>>();
            Samples::Whole(bytes.chunks_exact(bytes_per_row).flat_map(unpack).collect(), f64::from((1 << bits) - 1))
        }
        DecodingResult::U8(numbers) => Samples::Whole(numbers.into_iter().map(u32::from).collect(), 255.0),
        DecodingResult::U16(numbers) => Samples::Whole(numbers.into_iter().map(u32::from).collect(), 65535.0),
        DecodingResult::U32(numbers) => Samples::Whole(numbers, u32::MAX as f64),
        DecodingResult::I16(numbers) if numbers.iter().all(|&number| number >= 0) => {
            Samples::Whole(numbers.into_iter().map(|number| number as u32).collect(), 32767.0)
        }
        DecodingResult::I32(numbers) if numbers.iter().all(|&number| number >= 0) => {
            Samples::Whole(numbers.into_iter().map(|number| number as u32).collect(), i32::MAX as f64)
        }
        DecodingResult::I16(numbers) => Samples::Floats(numbers.into_iter().map(f32::from).collect()),
        DecodingResult::F32(numbers) => Samples::Floats(numbers),
        DecodingResult::F64(numbers) => Samples::Floats(numbers.into_iter().map(|number| number as f32).collect()),
        _ => return Err(wrong(path)("numbers of this type are not read; write 8 or 16 bits, or floats")),
    };
    let count = match &samples {
        Samples::Whole(numbers, _) => numbers.len(),
        Samples::Floats(numbers) => numbers.len(),
    };
    if count != geometry.num_elements() {
        return Err(wrong(path)(format!("{count} numbers for {geometry} pixels")));
    }
    Ok(TiffPage { geometry, samples })
}

fn bit_field(row: &[u8], index: usize, bits: u8) -> u32 {
    let bit = index * bits as usize;
    u32::from(row[bit / 8] >> (8 - bits as usize - bit % 8)) & ((1 << bits) - 1)
}
