//! Reading a file whether or not it is compressed by gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::{DataError, Result};

/// Opens a file; what gzip packed, by the look of its first bytes and whatever its name, is unpacked on the way.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).map_err(DataError::read(path))?;
    unpacked(BufReader::with_capacity(1 << 16, file)).map_err(DataError::read(path))
}

/// The same for bytes that are already there.
pub(crate) fn unpacked<'a>(mut bytes: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let is_gzip = bytes.fill_buf()?.starts_with(&[0x1F, 0x8B]);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) })
}
