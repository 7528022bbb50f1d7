//! Picture files as numbers, one file a format: what is in them, not yet what a network sees.

mod bmp;
mod gif;
mod jpeg;
mod jpeg_end;
mod orientation;
mod png;
mod pnm;
pub(super) mod tiff;
mod webp;

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

pub(crate) use orientation::Orientation;

use crate::{DataError, Result};

/// All formats; each adds a line.
const FORMATS: [Format; 7] =
    [png::FORMAT, jpeg::FORMAT, bmp::FORMAT, gif::FORMAT, webp::FORMAT, tiff::FORMAT, pnm::FORMAT];

/// What is known of a format.
struct Format {
    /// In small letters.
    extensions: &'static [&'static str],
    /// Whether a file is of the format, by its first [`SIGNATURE_LENGTH`] bytes.
    begins: fn(&[u8]) -> bool,
    /// Reads no more than it has to.
    header: fn(&mut dyn Source) -> Decoded<Header>,
    decode: fn(&[u8]) -> Decoded<Picture>,
}

const SIGNATURE_LENGTH: usize = 12;

/// What can be known of a picture without decoding it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Grey, grey and alpha, RGB, or RGB and alpha: 1 to 4.
    pub(crate) channels: usize,
    pub(crate) orientation: Orientation,
}

/// The first picture of a file.
pub(crate) struct Picture {
    pub(crate) header: Header,
    /// Row after row, the channels of a pixel side by side.
    pub(crate) samples: Samples,
}

/// Numbers as they are in a file.
pub(crate) enum Samples {
    /// 255 is white.
    Bytes(Vec<u8>),
    /// With the number that is white.
    Whole(Vec<u32>, f64),
    Floats(Vec<f32>),
}

/// Why a picture is not read: what a decoder says, or what is written here.
type Decoded<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What a decoder reads from: a trait object, so that all decoders are compiled once.
trait Source: BufRead + Seek {}

impl<S: BufRead + Seek> Source for S {}

/// The extensions of all formats, in small letters.
pub(crate) fn extensions() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().flat_map(|format| format.extensions).copied()
}

/// The header of a file.
pub(crate) fn header(path: &Path) -> Result<Header> {
    let mut file = BufReader::new(File::open(path).map_err(DataError::read(path))?);
    let mut first = Vec::with_capacity(SIGNATURE_LENGTH);
    (&mut file).take(SIGNATURE_LENGTH as u64).read_to_end(&mut first).map_err(DataError::read(path))?;
    file.rewind().map_err(DataError::read(path))?;
    format(&first).and_then(|format| (format.header)(&mut file)).map_err(wrong(path))
}

/// Decodes the bytes of a file; the path is for messages.
pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<Picture> {
    let first = &bytes[..bytes.len().min(SIGNATURE_LENGTH)];
    format(first).and_then(|format| (format.decode)(bytes)).and_then(Picture::checked).map_err(wrong(path))
}

/// As [`decode`], but of pixels that are indices of a palette the indices, not the colours.
pub(crate) fn decode_labels(bytes: &[u8], path: &Path) -> Result<Picture> {
    match (png::FORMAT.begins)(bytes) {
        true => png::indices(bytes).and_then(Picture::checked).map_err(wrong(path)),
        false => decode(bytes, path),
    }
}

fn format(first: &[u8]) -> Decoded<&'static Format> {
    match first {
        [] => Err("the file is empty".into()),
        _ => FORMATS.iter().find(|format| (format.begins)(first)).ok_or("it is in none of the known formats".into()),
    }
}

fn wrong<E: ToString>(path: &Path) -> impl Fn(E) -> DataError {
    move |reason| DataError::Image { path: path.to_owned(), reason: reason.to_string() }
}

impl Header {
    /// A broken header may promise more than memory holds.
    const MAX_SAMPLES: usize = 1 << 30;

    /// # Errors
    /// If there are no pixels, or too many.
    fn new(width: usize, height: usize, channels: usize) -> Decoded<Self> {
        match width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels)) {
            Some(0) => Err(format!("it has no pixels: its size is {height}x{width}").into()),
            Some(1..=Self::MAX_SAMPLES) => Ok(Self { width, height, channels, orientation: Orientation::default() }),
            _ => Err(format!("{height}x{width} pixels are too many for one picture: cut it into tiles").into()),
        }
    }

    fn turned(self, orientation: Option<Orientation>) -> Self {
        Self { orientation: orientation.unwrap_or_default(), ..self }
    }

    fn num_samples(&self) -> usize {
        self.width * self.height * self.channels
    }
}

impl Picture {
    /// # Errors
    /// If there are not as many samples as the header promises.
    fn checked(self) -> Decoded<Self> {
        let count = self.samples.len();
        let Header { width, height, channels, .. } = self.header;
        match count == self.header.num_samples() {
            true => Ok(self),
            false => Err(format!("{count} numbers for {height}x{width} pixels of {channels} channels").into()),
        }
    }
}

impl Samples {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(samples) => samples.len(),
            Self::Whole(samples, _) => samples.len(),
            Self::Floats(samples) => samples.len(),
        }
    }
}

/// Numbers of two bytes, the higher first.
fn pairs(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|&pair| u16::from_be_bytes(pair).into()).collect()
}

/// Numbers of 1, 2, 4 or 8 bits that share bytes, the first in the highest bits; each row begins a byte.
fn bit_fields(bytes: &[u8], bits: usize, per_row: usize) -> Vec<u32> {
    let number = |row: &[u8], bit: usize| u32::from(row[bit / 8] >> (8 - bits - bit % 8)) & ((1 << bits) - 1);
    let rows = bytes.chunks_exact((per_row * bits).div_ceil(8).max(1));
    rows.flat_map(|row| (0..per_row).map(move |place| number(row, place * bits))).collect()
}
