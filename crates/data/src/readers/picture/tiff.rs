//! TIFF files, with all their pages.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use tiff::ColorType;
use tiff::decoder::{BufferLayoutPreference, Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::{Decoded, Format, Header, Orientation, Picture, Samples, Source, bit_fields, wrong};
use crate::{DataError, Result};

pub(super) const FORMAT: Format = Format {
    extensions: &["tif", "tiff"],
    begins: |first| [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|signature| first.starts_with(*signature)),
    header: |source| Ok(Layout::of(&mut Decoder::new(source)?)?.header),
    decode: |bytes| nth_page(&mut Cursor::new(bytes), 0),
};

type Open<'a> = Decoder<&'a mut dyn Source>;

/// How many pages a file has; 1 if it is no TIFF file.
pub(crate) fn count(path: &Path) -> usize {
    let Ok(file) = File::open(path) else { return 1 };
    let mut file = BufReader::new(file);
    let Ok(mut decoder) = Decoder::new(&mut file as &mut dyn Source) else { return 1 };
    let mut count = 1;
    while decoder.more_images() && decoder.next_image().is_ok() {
        count += 1;
    }
    count
}

/// Reads a page.
pub(crate) fn read(path: &Path, number: usize) -> Result<Picture> {
    let mut file = BufReader::new(File::open(path).map_err(DataError::read(path))?);
    nth_page(&mut file, number).and_then(Picture::checked).map_err(wrong(path))
}

fn nth_page(source: &mut dyn Source, number: usize) -> Decoded<Picture> {
    let mut decoder = Decoder::new(source)?;
    for _ in 0..number {
        decoder.next_image()?;
    }
    page(decoder)
}

/// A page's header, and how its numbers are coded.
struct Layout {
    header: Header,
    bits: usize,
    /// Cyan, magenta, yellow and black.
    is_ink: bool,
}

impl Layout {
    fn of(decoder: &mut Open) -> Decoded<Self> {
        let (width, height) = decoder.dimensions()?;
        let color = decoder.colortype()?;
        let (channels, bits) = match color {
            ColorType::Gray(bits) => (1, bits),
            ColorType::GrayA(bits) => (2, bits),
            ColorType::RGB(bits) | ColorType::CMYK(bits) => (3, bits),
            ColorType::RGBA(bits) => (4, bits),
            other => return Err(format!("{other:?} pixels are not read").into()),
        };
        if bits < 8 && ![1, 2, 4].contains(&bits) {
            return Err(format!("numbers of {bits} bits are not read; write 8 or 16").into());
        }
        let orientation = decoder.find_tag_unsigned(Tag::Orientation)?.and_then(Orientation::from_value);
        let header = Header::new(width as usize, height as usize, channels)?.turned(orientation);
        Ok(Self { header, bits: bits.into(), is_ink: matches!(color, ColorType::CMYK(_)) })
    }

    /// How many channels the file has.
    fn num_coded(&self) -> usize {
        if self.is_ink { 4 } else { self.header.channels }
    }

    /// From planes, if there are several, to pixels.
    fn pixels<T: Copy>(&self, planes: usize, numbers: Vec<T>) -> Vec<T> {
        let pixels = numbers.len() / planes;
        match planes {
            1 => numbers,
            _ => (0..pixels * planes).map(|place| numbers[place % planes * pixels + place / planes]).collect(),
        }
    }

    fn whole(&self, planes: usize, numbers: Vec<u32>, white: u32) -> Samples {
        let numbers = self.pixels(planes, numbers);
        let numbers = if self.is_ink { without_ink(&numbers, white) } else { numbers };
        Samples::Whole(numbers, white.into())
    }
}

fn page(mut decoder: Open) -> Decoded<Picture> {
    let layout = Layout::of(&mut decoder)?;
    // The size of the picture has a limit already, and a file may be one strip.
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::MAX;
    limits.intermediate_buffer_size = usize::MAX;
    let mut decoder = decoder.with_limits(limits);
    let mut numbers = DecodingResult::U8(Vec::new());
    let BufferLayoutPreference { planes, complete_len, .. } = decoder.read_image_to_buffer(&mut numbers)?;
    if numbers.as_buffer(0).as_bytes().len() < complete_len {
        return Err("it is too large to be read at once".into());
    }
    let whole = |numbers: Vec<u32>, white| Ok(layout.whole(planes, numbers, white));
    let floats = |numbers: Vec<f32>| Ok(Samples::Floats(layout.pixels(planes, numbers)));
    let samples: Decoded<Samples> = match numbers {
        DecodingResult::U8(bytes) if layout.bits < 8 && planes == 1 => {
            let numbers = bit_fields(&bytes, layout.bits, layout.header.width * layout.num_coded());
            whole(numbers, (1 << layout.bits) - 1)
        }
        DecodingResult::U8(bytes) if layout.bits == 8 && !layout.is_ink => {
            Ok(Samples::Bytes(layout.pixels(planes, bytes)))
        }
        DecodingResult::U8(bytes) if layout.bits == 8 => whole(bytes.into_iter().map(u32::from).collect(), 255),
        DecodingResult::U16(numbers) => whole(numbers.into_iter().map(u32::from).collect(), 65535),
        DecodingResult::U32(numbers) => whole(numbers, u32::MAX),
        DecodingResult::I16(numbers) if numbers.iter().all(|&number| number >= 0) => {
            whole(numbers.into_iter().map(|number| number as u32).collect(), 32767)
        }
        DecodingResult::I32(numbers) if numbers.iter().all(|&number| number >= 0) => {
            whole(numbers.into_iter().map(|number| number as u32).collect(), i32::MAX as u32)
        }
        _ if layout.is_ink => Err("inks are read in 8 or 16 bits".into()),
        DecodingResult::I16(numbers) => floats(numbers.into_iter().map(f32::from).collect()),
        DecodingResult::F32(numbers) => floats(numbers),
        DecodingResult::F64(numbers) => floats(numbers.into_iter().map(|number| number as f32).collect()),
        _ => Err("numbers of this type are not read; write 8 or 16 bits, or floats".into()),
    };
    Ok(Picture { header: layout.header, samples: samples? })
}

/// From cyan, magenta, yellow and black to RGB: what no ink takes away.
fn without_ink(numbers: &[u32], white: u32) -> Vec<u32> {
    let light = |ink: u32, black: u32| u64::from(white - ink) * u64::from(white - black) / u64::from(white);
    let (pixels, _) = numbers.as_chunks::<4>();
    pixels.iter().flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| light(ink, k) as u32)).collect()
}
