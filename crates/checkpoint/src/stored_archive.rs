//! Zip archives whose files are stored as they are, as PyTorch writes them: alignment matters more to it than size.
//!
//! Source: PKWARE's .ZIP File Format Specification (APPNOTE 6.3.10), sections 4.3.7, 4.3.12, 4.3.14, 4.3.16 and 4.5.3.

use std::collections::BTreeMap;

/// Why an archive was refused.
type Refused = String;

/// The files of an archive by their names.
pub fn files(bytes: &[u8]) -> Result<BTreeMap<String, &[u8]>, Refused> {
    let damaged = || "its list of files is damaged, or the file cut short".to_owned();
    let (count, start) = list(bytes).ok_or_else(damaged)?;
    let mut rest = bytes.get(start..).ok_or_else(damaged)?;
    let mut files = BTreeMap::new();
    for _ in 0..count {
        let (entry, after) = Entry::read(rest).ok_or_else(damaged)?;
        let name = String::from_utf8(entry.name.to_vec()).map_err(|_| damaged())?;
        if !entry.is_stored {
            return Err(format!("{name}: it is compressed"));
        }
        let data = entry.data(bytes).ok_or_else(|| format!("{name}: the file is cut short"))?;
        files.insert(name, data);
        rest = after;
    }
    Ok(files)
}

/// How many files there are, and where their list starts.
fn list(bytes: &[u8]) -> Option<(u64, usize)> {
    // The last record has a comment of any length behind it, mostly none.
    const RECORD: usize = 22;
    let place =
        (0..=bytes.len().checked_sub(RECORD)?).rev().find(|&place| bytes[place..].starts_with(b"PK\x05\x06"))?;
    let record = &bytes[place..];
    let (count, start) = (number::<2>(record, 10)?, number::<4>(record, 16)?);
    let locator = place.checked_sub(20).map(|place| &bytes[place..]).filter(|bytes| bytes.starts_with(b"PK\x06\x07"));
    match locator {
        // Archives of any size have another record, with larger numbers.
        Some(locator) => {
            let record = bytes.get(number::<8>(locator, 8)? as usize..)?;
            let is_record = record.starts_with(b"PK\x06\x06");
            is_record.then_some((number::<8>(record, 32)?, number::<8>(record, 48)? as usize))
        }
        None => Some((count, start as usize)),
    }
}

/// What the list says of a file.
struct Entry<'a> {
    name: &'a [u8],
    is_stored: bool,
    size: u64,
    /// Where its own header starts, which the file's bytes follow.
    header: u64,
}

impl<'a> Entry<'a> {
    /// The entry at the front, and what follows it.
    fn read(bytes: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        const FIXED: usize = 46;
        let length = |place| Some(number::<2>(bytes, place)? as usize);
        let (name_length, extra_length, comment_length) = (length(28)?, length(30)?, length(32)?);
        let name = bytes.get(FIXED..FIXED + name_length)?;
        let extra = bytes.get(FIXED + name_length..FIXED + name_length + extra_length)?;
        let [stored, size, header] = [number::<4>(bytes, 20)?, number::<4>(bytes, 24)?, number::<4>(bytes, 42)?];
        // What does not fit 32 bits stands in the extra field, in this order.
        let mut larger = larger_numbers(extra).chunks_exact(8);
        let mut read = |value: u64| match value {
            0xffff_ffff => number::<8>(larger.next()?, 0),
            value => Some(value),
        };
        let size = read(size)?;
        let is_stored = number::<2>(bytes, 10)? == 0 && read(stored)? == size;
        let entry = Entry { name, is_stored, size, header: read(header)? };
        let is_entry = bytes.starts_with(b"PK\x01\x02");
        is_entry.then_some((entry, bytes.get(FIXED + name_length + extra_length + comment_length..)?))
    }

    fn data(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        const FIXED: usize = 30;
        let header = bytes.get(usize::try_from(self.header).ok()?..)?;
        let before = FIXED + number::<2>(header, 26)? as usize + number::<2>(header, 28)? as usize;
        let size = usize::try_from(self.size).ok()?;
        header.starts_with(b"PK\x03\x04").then_some(header.get(before..)?.get(..size)?)
    }
}

/// The part of an extra field that holds 64-bit numbers.
fn larger_numbers(mut extra: &[u8]) -> &[u8] {
    while let (Some(kind), Some(length)) = (number::<2>(extra, 0), number::<2>(extra, 2)) {
        let Some(part) = extra.get(4..4 + length as usize) else { break };
        if kind == 1 {
            return part;
        }
        extra = &extra[4 + length as usize..];
    }
    &[]
}

/// The little-endian number of `N` bytes at a place.
fn number<const N: usize>(bytes: &[u8], place: usize) -> Option<u64> {
    let digits = bytes.get(place..)?.first_chunk::<N>()?;
    Some(digits.iter().rev().fold(0, |number, &digit| number << 8 | digit as u64))
}
