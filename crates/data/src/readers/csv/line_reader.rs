//! Records with the numbers of their lines.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};

use crate::readers::compressed;
use crate::{DataError, Result};

/// Reads a table line by line. The `csv` crate splits each line; it does not count them, because its count is off after
/// blank lines and with `\r\n`. A cell may not contain a line break: no pixel does.
pub(crate) struct LineReader {
    path: PathBuf,
    source: BufReader<Box<dyn Read>>,
    builder: ReaderBuilder,
    line: Vec<u8>,
    number: u64,
}

impl LineReader {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut source = BufReader::with_capacity(1 << 16, compressed::open(path)?);
        let delimiter = delimiter(source.fill_buf().map_err(DataError::read(path))?);
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        Ok(Self { path: path.to_owned(), source, builder, line: Vec::new(), number: 0 })
    }

    /// Reads the next line that is not blank and returns its number, from 1; nothing at the end.
    pub(crate) fn next(&mut self, record: &mut ByteRecord) -> Result<Option<u64>> {
        loop {
            self.line.clear();
            if self.source.read_until(b'\n', &mut self.line).map_err(DataError::read(&self.path))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.iter().all(|byte| byte.is_ascii_whitespace()) {
                continue;
            }
            let mut reader = self.builder.buffer_capacity(self.line.len()).from_reader(&self.line[..]);
            let is_there = reader.read_byte_record(record).map_err(|error| DataError::Csv {
                path: self.path.clone(),
                line: self.number,
                reason: error.to_string(),
            })?;
            if is_there {
                return Ok(Some(self.number));
            }
        }
    }
}

/// The separator: of comma, semicolon and tabulator the commonest in the first line.
fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|&&byte| byte == delimiter).count();
    // The last of the maxima is taken, so that the comma wins a draw.
    [b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}
