//! BMP files of Windows and OS/2: with palettes, bit fields and run lengths; not those that hold a JPEG or PNG file.
//!
//! # Source
//! Microsoft's documentation of bitmap storage and of the structures BITMAPFILEHEADER to BITMAPV5HEADER.

use std::io::Cursor;
use std::iter;

use super::{Decoded, Format, Header, Picture, Samples, Source, bit_fields};

pub(super) const FORMAT: Format = Format {
    extensions: &["bmp", "dib"],
    begins: |first| first.starts_with(b"BM"),
    header: |source| Ok(Layout::read(source)?.header),
    decode,
};

/// What the headers say.
struct Layout {
    header: Header,
    is_top_down: bool,
    /// Bits of a pixel.
    bits: usize,
    coding: Coding,
    palette: Vec<[u8; 3]>,
    /// Where the pixels begin.
    offset: usize,
}

enum Coding {
    Indices,
    RunLengths,
    /// Which bits are red, green, blue and alpha.
    Masks([u32; 4]),
}

impl Layout {
    fn read(source: &mut dyn Source) -> Decoded<Self> {
        const FILE_HEADER: usize = 14;
        let mut file = [0; FILE_HEADER];
        source.read_exact(&mut file)?;
        let offset = long(&file, 10) as usize;
        // The headers, the palette and what else stands before the pixels.
        let mut head =
            vec![0; offset.checked_sub(FILE_HEADER).filter(|length| (12..1 << 16).contains(length)).ok_or(CUT)?];
        source.read_exact(&mut head)?;
        let length = long(&head, 0) as usize;
        let (width, height, bits, compression) = match length {
            12 => (short(&head, 4).into(), short(&head, 6) as i32, short(&head, 10), 0),
            16 => (long(&head, 4), long(&head, 8) as i32, short(&head, 14), 0),
            _ => (long(&head, 4), long(&head, 8) as i32, short(&head, 14), long(&head, 16)),
        };
        let bits = usize::from(bits);
        let entry = if length == 12 { 3 } else { 4 };
        // The masks are a part of the later, longer headers, and follow the first.
        let begin_of_palette = match (length, compression) {
            (40, 3) => length + 12,
            (40, 6) => length + 16,
            _ => length,
        };
        let has_alpha = compression == 6 || compression == 3 && length >= 56;
        let coding = match (compression, bits) {
            (0, 1 | 2 | 4 | 8) => Coding::Indices,
            (1, 8) | (2, 4) => Coding::RunLengths,
            (0, 16) => Coding::Masks([0x7C00, 0x03E0, 0x001F, 0]),
            (0, 24 | 32) => Coding::Masks([0xFF_0000, 0xFF00, 0xFF, 0]),
            (3 | 6, 16 | 32) => Coding::Masks(
                [0, 1, 2, 3].map(|place| if place == 3 && !has_alpha { 0 } else { long(&head, 40 + 4 * place) }),
            ),
            _ => return Err(format!("{bits} bits a pixel in compression {compression} are not read").into()),
        };
        let channels = if matches!(coding, Coding::Masks([.., alpha]) if alpha != 0) { 4 } else { 3 };
        let entries = head.get(begin_of_palette..).unwrap_or_default().chunks_exact(entry);
        Ok(Self {
            header: Header::new(width as usize, height.unsigned_abs() as usize, channels)?,
            is_top_down: height < 0,
            bits,
            coding,
            palette: entries.take(1 << bits.min(8)).map(|entry| [entry[2], entry[1], entry[0]]).collect(),
            offset,
        })
    }

    fn colour(&self, index: u32) -> Decoded<[u8; 3]> {
        let colour = self.palette.get(index as usize).copied();
        colour.ok_or_else(|| format!("a pixel has colour {index} of {}", self.palette.len()).into())
    }

    /// The rows as they are in the file, without what fills them up.
    fn rows<'a>(&self, coded: &'a [u8]) -> Decoded<impl Iterator<Item = &'a [u8]>> {
        let Header { width, height, .. } = self.header;
        let stride = (width * self.bits).div_ceil(32) * 4;
        // The last row may lack what fills it up.
        let length = (stride * height).min(coded.len());
        let (rows, used) = (coded[..length].chunks(stride), (width * self.bits).div_ceil(8));
        match rows.len() == height && length >= stride * (height - 1) + used {
            true => Ok(rows.map(move |row| &row[..used])),
            false => Err(CUT.into()),
        }
    }
}

const CUT: &str = "it is cut short";

fn decode(bytes: &[u8]) -> Decoded<Picture> {
    let layout = Layout::read(&mut Cursor::new(bytes))?;
    let coded = bytes.get(layout.offset..).ok_or(CUT)?;
    let Header { width, channels, .. } = layout.header;
    let mut samples = Vec::with_capacity(layout.header.num_samples());
    match layout.coding {
        Coding::Masks(masks) => {
            let fields = masks.map(Field::of);
            let num_bytes = layout.bits / 8;
            for row in layout.rows(coded)? {
                for pixel in row.chunks_exact(num_bytes) {
                    let number = pixel.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte));
                    samples.extend(fields[..channels].iter().map(|field| field.byte(number)));
                }
            }
        }
        Coding::Indices => {
            for row in layout.rows(coded)? {
                for index in bit_fields(row, layout.bits, width) {
                    samples.extend(layout.colour(index)?);
                }
            }
        }
        Coding::RunLengths => {
            for index in run_lengths(coded, &layout)? {
                samples.extend(layout.colour(index.into())?);
            }
        }
    }
    if !layout.is_top_down {
        let per_row = width * channels;
        samples = samples.rchunks_exact(per_row).flatten().copied().collect();
    }
    Ok(Picture { header: layout.header, samples: Samples::Bytes(samples) })
}

/// The bits of a pixel that are one channel.
struct Field {
    shift: u32,
    white: u32,
}

impl Field {
    fn of(mask: u32) -> Self {
        let shift = mask.trailing_zeros() % 32;
        Self { shift, white: mask >> shift }
    }

    fn byte(&self, pixel: u32) -> u8 {
        let number = pixel >> self.shift & self.white;
        match self.white {
            0 => 0,
            255 => number as u8,
            white => ((u64::from(number) * 255 + u64::from(white / 2)) / u64::from(white)) as u8,
        }
    }
}

/// The indices of all pixels, from the lowest row; 0 where none are written.
fn run_lengths(coded: &[u8], layout: &Layout) -> Decoded<Vec<u8>> {
    let Header { width, height, .. } = layout.header;
    // A broken header promises more than any program would write so shortly.
    if width * height > 1024 * coded.len() {
        return Err(CUT.into());
    }
    let mut indices = vec![0; width * height];
    let mut coded = coded.iter().copied();
    let mut next = || coded.next().ok_or(CUT);
    let (mut row, mut column) = (0, 0);
    while row < height {
        let values = match (next()?, next()?) {
            (0, 0) => {
                (row, column) = (row + 1, 0);
                continue;
            }
            (0, 1) => break,
            (0, 2) => {
                (column, row) = (column + usize::from(next()?), row + usize::from(next()?));
                continue;
            }
            (0, count) => {
                let length = (usize::from(count) * layout.bits).div_ceil(8);
                let bytes = (0..length).map(|_| next()).collect::<Result<Vec<_>, _>>()?;
                if length % 2 == 1 {
                    next()?;
                }
                bytes.into_iter().flat_map(|byte| fields(byte, layout.bits)).take(count.into()).collect::<Vec<_>>()
            }
            (count, byte) => iter::repeat_with(|| fields(byte, layout.bits)).flatten().take(count.into()).collect(),
        };
        // What would run over the end of the row is left out.
        let rest_of_row = indices[row * width..][..width].iter_mut().skip(column);
        rest_of_row.zip(&values).for_each(|(index, value)| *index = *value);
        column += values.len();
    }
    Ok(indices)
}

/// The index in a byte, or the two.
fn fields(byte: u8, bits: usize) -> impl Iterator<Item = u8> {
    let (first, second) = if bits == 8 { (byte, None) } else { (byte >> 4, Some(byte & 15)) };
    iter::once(first).chain(second)
}

/// A number of two bytes, the lower first; 0 behind the end.
fn short(bytes: &[u8], place: usize) -> u16 {
    bytes.get(place..place + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// As [`short`], of four bytes.
fn long(bytes: &[u8], place: usize) -> u32 {
    u32::from(short(bytes, place)) | u32::from(short(bytes, place + 2)) << 16
}
