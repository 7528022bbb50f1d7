//! PNM files: bitmaps, grey maps and pixmaps, each in letters or in bytes; and PAM, which is all of them.
//!
//! # Source
//! The Netpbm project's definitions of the formats PBM, PGM, PPM and PAM.

use std::io::{BufRead, Cursor};

use super::{Decoded, Format, Header, Picture, Samples, Source, bit_fields, pairs};

pub(super) const FORMAT: Format = Format {
    extensions: &["pnm", "pbm", "pgm", "ppm", "pam"],
    begins: |first| matches!(first, [b'P', b'1'..=b'7', ..]),
    header: |source| Ok(Head::read(source)?.header),
    decode,
};

/// The first lines.
struct Head {
    header: Header,
    white: u16,
    coding: Coding,
}

/// How numbers are written.
enum Coding {
    /// In letters.
    Numbers,
    /// One byte each, or two if white is more than 255.
    Bytes,
    /// In letters, perhaps without space between them; 1 is black.
    Digits,
    /// Eight in a byte; 1 is black.
    Bits,
}

impl Head {
    fn read(source: &mut dyn Source) -> Decoded<Self> {
        let mut kind = [0; 2];
        source.read_exact(&mut kind)?;
        let (coding, channels) = match kind[1] {
            b'1' => (Coding::Digits, 1),
            b'2' => (Coding::Numbers, 1),
            b'3' => (Coding::Numbers, 3),
            b'4' => (Coding::Bits, 1),
            b'5' => (Coding::Bytes, 1),
            b'6' => (Coding::Bytes, 3),
            _ => return Self::read_map(source),
        };
        let (width, height) = (number(source)?, number(source)?);
        let white = if matches!(coding, Coding::Digits | Coding::Bits) { 1 } else { number(source)? };
        Self::new(width, height, channels, white, coding)
    }

    /// Of PAM: a name and a value a line.
    fn read_map(source: &mut dyn Source) -> Decoded<Self> {
        let (mut width, mut height, mut depth, mut white) = (0, 0, 0, 0);
        for line in source.lines() {
            let line = line?;
            let mut words = line.split_ascii_whitespace();
            let field = match words.next() {
                Some("ENDHDR") => return Self::new(width, height, depth, white, Coding::Bytes),
                Some("WIDTH") => &mut width,
                Some("HEIGHT") => &mut height,
                Some("DEPTH") => &mut depth,
                Some("MAXVAL") => &mut white,
                _ => continue,
            };
            *field = words.next().unwrap_or_default().parse().map_err(|_| format!("no number in the line {line:?}"))?;
        }
        Err("it is cut short".into())
    }

    fn new(width: usize, height: usize, channels: usize, white: usize, coding: Coding) -> Decoded<Self> {
        let white = u16::try_from(white).ok().filter(|&white| white > 0).ok_or("white is no number from 1 to 65535")?;
        match channels {
            1..=4 => Ok(Self { header: Header::new(width, height, channels)?, white, coding }),
            _ => Err(format!("pixels of {channels} channels are not read").into()),
        }
    }
}

fn decode(bytes: &[u8]) -> Decoded<Picture> {
    let mut source = Cursor::new(bytes);
    let Head { header, white, coding } = Head::read(&mut source)?;
    let count = header.num_samples();
    let rest = &bytes[source.position() as usize..];
    let coded = |length: usize| rest.get(..length).ok_or("it is cut short");
    let mut numbers = match coding {
        Coding::Bytes if white == 255 => {
            return Ok(Picture { header, samples: Samples::Bytes(coded(count)?.to_vec()) });
        }
        Coding::Bytes if white > 255 => pairs(coded(2 * count)?),
        Coding::Bytes => coded(count)?.iter().copied().map(u32::from).collect(),
        Coding::Bits => bit_fields(coded(header.width.div_ceil(8) * header.height)?, 1, header.width),
        Coding::Digits => {
            let digits = rest.iter().filter(|byte| matches!(byte, b'0' | b'1'));
            digits.map(|digit| u32::from(digit - b'0')).take(count).collect()
        }
        Coding::Numbers => (0..count).map(|_| Ok(number(&mut source)? as u32)).collect::<Decoded<_>>()?,
    };
    if let Some(number) = numbers.iter().find(|&&number| number > white.into()) {
        return Err(format!("{number} is greater than white, which is {white}").into());
    }
    if matches!(coding, Coding::Digits | Coding::Bits) {
        numbers.iter_mut().for_each(|number| *number = 1 - *number);
    }
    Ok(Picture { header, samples: Samples::Whole(numbers, white.into()) })
}

/// The next number in letters, with the one character that ends it; comments run from `#` to the end of a line.
fn number(source: &mut dyn BufRead) -> Decoded<usize> {
    let mut found: Option<usize> = None;
    let mut byte = [0];
    while source.read(&mut byte)? == 1 {
        match (byte[0], found) {
            (digit @ b'0'..=b'9', _) => {
                let digit = usize::from(digit - b'0');
                let longer = found.unwrap_or(0).checked_mul(10).and_then(|found| found.checked_add(digit));
                found = Some(longer.filter(|&found| found <= u32::MAX as usize).ok_or("a number is too large")?);
            }
            (b'#', None) => _ = source.skip_until(b'\n')?,
            (space, None) if space.is_ascii_whitespace() => {}
            (space, Some(_)) if space.is_ascii_whitespace() => break,
            (other, _) => return Err(format!("{:?} where a number should be", char::from(other)).into()),
        }
    }
    found.ok_or("it is cut short".into())
}
