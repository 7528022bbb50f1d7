//! One IDX file: a header, then numbers.

use std::io::{self, Read};
use std::path::Path;

use crate::{DataError, Pixels, Result};

/// The types of elements, by the third byte of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Element {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Element::U8,
            0x09 => Element::I8,
            0x0B => Element::I16,
            0x0C => Element::I32,
            0x0D => Element::F32,
            0x0E => Element::F64,
            _ => return None,
        })
    }

    fn size(self) -> u64 {
        match self {
            Element::U8 | Element::I8 => 1,
            Element::I16 => 2,
            Element::I32 | Element::F32 => 4,
            Element::F64 => 8,
        }
    }
}

/// The contents of an IDX file.
pub(crate) struct IdxFile {
    pub(crate) shape: Vec<usize>,
    element: Element,
    bytes: Vec<u8>,
}

/// The number of axes in the header of an IDX file; nothing if it is not one. Compressed files are looked into.
pub(crate) fn rank(path: &Path) -> Option<usize> {
    let mut start = [0; 4];
    super::compressed::open(path).ok()?.read_exact(&mut start).ok()?;
    let is_idx = start[..2] == [0, 0] && Element::from_code(start[2]).is_some() && (1..=8).contains(&start[3]);
    is_idx.then_some(start[3] as usize)
}

impl IdxFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::read(super::compressed::open(path)?, path)
    }

    /// Reads the whole of an IDX file; the path is for messages.
    pub(crate) fn read(mut source: impl Read, path: &Path) -> Result<Self> {
        let wrong = |position: u64, reason: String| DataError::Idx { path: path.to_owned(), position, reason };
        let mut header = |bytes: &mut [u8], position: u64| match source.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(wrong(position, "the file ends within its header".into()))
            }
            result => result.map_err(DataError::read(path)),
        };
        let mut start = [0; 4];
        header(&mut start, 0)?;
        let Some(element) = Element::from_code(start[2]).filter(|_| start[..2] == [0, 0]) else {
            return Err(wrong(0, format!("{start:02x?} is not how an IDX file begins")));
        };
        let rank = start[3] as u64;
        let mut shape = Vec::new();
        let mut size = Some(element.size());
        for axis in 0..rank {
            let mut length = [0; 4];
            header(&mut length, 4 + 4 * axis)?;
            let length = u32::from_be_bytes(length);
            shape.push(length as usize);
            size = size.and_then(|size| size.checked_mul(length as u64));
        }
        let begin = 4 + 4 * rank;
        let promised =
            || format!("{} elements of {} bytes ({shape:?})", shape.iter().product::<usize>(), element.size());
        let Some(size) = size.filter(|&size| size < isize::MAX as u64) else {
            return Err(wrong(4, format!("the header promises more than any memory holds ({shape:?})")));
        };
        // No more than 64 MiB on a header's word alone.
        let mut bytes = Vec::with_capacity(size.min(1 << 26) as usize + 1);
        let outcome = source.take(size + 1).read_to_end(&mut bytes);
        let end = begin + bytes.len() as u64;
        match outcome {
            Err(error) if is_damage(&error) => {
                return Err(wrong(end, format!("the compressed file is damaged: {error}")));
            }
            outcome => outcome.map_err(DataError::read(path))?,
        };
        if (bytes.len() as u64) < size {
            return Err(wrong(
                end,
                format!("the file ends here; its header promises {}, to byte {}", promised(), begin + size),
            ));
        }
        if bytes.len() as u64 > size {
            return Err(wrong(begin + size, format!("the file goes on; its header promises only {}", promised())));
        }
        Ok(Self { shape, element, bytes })
    }

    /// The elements as pixels: unsigned bytes stay bytes, all others become floats.
    pub(crate) fn into_pixels(self) -> Pixels {
        if self.element == Element::U8 {
            return Pixels::Bytes(self.bytes);
        }
        Pixels::Floats(self.numbers().map(|number| number as f32).collect())
    }

    /// The elements as whole numbers, or the place of the first that is none.
    pub(crate) fn whole_numbers(&self) -> std::result::Result<Vec<i64>, (usize, f64)> {
        let whole = |number: f64| number.fract() == 0.0 && number.abs() <= (1_u64 << 53) as f64;
        let mut numbers = self.numbers().enumerate();
        let bad = numbers.find(|&(_, number)| !whole(number));
        bad.map_or_else(|| Ok(self.numbers().map(|number| number as i64).collect()), Err)
    }

    /// The place of an element in the file.
    pub(crate) fn position(&self, element: usize) -> u64 {
        4 + 4 * self.shape.len() as u64 + element as u64 * self.element.size()
    }

    fn numbers(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        macro_rules! numbers {
            ($number:ty) => {{
                let (elements, _) = self.bytes.as_chunks();
                Box::new(elements.iter().map(|&element| <$number>::from_be_bytes(element) as f64))
            }};
        }
        match self.element {
            Element::U8 => numbers!(u8),
            Element::I8 => numbers!(i8),
            Element::I16 => numbers!(i16),
            Element::I32 => numbers!(i32),
            Element::F32 => numbers!(f32),
            Element::F64 => numbers!(f64),
        }
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
