//! What the columns of a table are, by its first line.

use std::path::Path;

use csv::ByteRecord;

use super::line_reader::LineReader;
use crate::{DataError, Geometry, Result};

const LABEL_NAMES: [&str; 4] = ["label", "class", "target", "y"];

/// Which column is what.
pub(crate) struct TableShape {
    pub(crate) num_columns: usize,
    /// The column of labels, if there is one.
    pub(crate) label: Option<usize>,
    pub(crate) geometry: Geometry,
    names: Option<Vec<String>>,
}

impl TableShape {
    /// Reads the first line; gives it back, with its number, if it is a sample and not a header.
    pub(super) fn of(reader: &mut LineReader, path: &Path) -> Result<(Self, Option<(u64, ByteRecord)>)> {
        let mut record = ByteRecord::new();
        let Some(line) = reader.next(&mut record)? else {
            let remedy = "check that it was written to its end".to_string();
            return Err(DataError::NoData { path: path.to_owned(), found: "the file is empty".into(), remedy });
        };
        let cells: Vec<String> = record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_string()).collect();
        let num_columns = cells.len();
        // A label may be a word, pixels may not; one of them may be wrong, but not most.
        let num_words = cells[1..].iter().filter(|cell| !cell.is_empty() && cell.parse::<f64>().is_err()).count();
        let is_header = num_words > cells.len() / 2;
        let named = |cell: &String| LABEL_NAMES.contains(&cell.to_lowercase().as_str());
        let label = match cells.iter().position(named).filter(|_| is_header) {
            None if !is_header && square(num_columns - 1).is_some() => Some(0),
            found => found,
        };
        let num_values = num_columns - usize::from(label.is_some());
        let Some(geometry) = square(num_values) else {
            let reason = format!(
                "{num_columns} columns are not a label and square images (k*k pixels, or 3*k*k); \
                 a header names the label's column label, class, target or y"
            );
            return Err(DataError::Csv { path: path.to_owned(), line, reason });
        };
        let shape = Self { num_columns, label, geometry, names: is_header.then_some(cells) };
        Ok((shape, (!is_header).then_some((line, record))))
    }

    /// How to speak of a column.
    pub(crate) fn column_name(&self, column: usize) -> String {
        match &self.names {
            Some(names) => format!("column {} ({})", column + 1, names[column]),
            None => format!("column {}", column + 1),
        }
    }
}

/// The square image of so many numbers. One pixel is none: any table of two columns would be images.
fn square(num_values: usize) -> Option<Geometry> {
    let of_channels = |channels: usize| {
        let side = (num_values / channels).isqrt();
        (side > 1 && side * side * channels == num_values).then(|| Geometry::new(side, side, channels))
    };
    of_channels(1).or_else(|| of_channels(3))
}
