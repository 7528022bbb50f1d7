//! Images as lines of a table: a label and one number a pixel, as in Kaggle's MNIST.
//!
//! - The first line may name the columns. The label's is called `label`, `class`, `target` or `y`; without names it is
//!   the first.
//! - The other columns are the pixels of square images, row by row: k x k numbers are grey, 3 x k x k are RGB with the
//!   three numbers of a pixel side by side.
//! - Whole numbers from 0 to 255 throughout run from black to white; other numbers are taken as they are.
//! - Commas, semicolons and tabulators separate columns; the file may be compressed by gzip.
//! - In a folder, files tell their split by their names: `train.csv`, `digits_test.csv`.

use std::path::{Path, PathBuf};

use ::csv::ByteRecord;

use crate::classes::ClassNames;
use crate::readers::listing::{list, name, split_by_file_name};
use crate::{DataError, Dataset, Pixels, Result, Samples, Split};

mod line_reader;
mod pixel_column;
mod table_shape;

pub(super) use line_reader::LineReader;
use pixel_column::PixelColumn;
use table_shape::TableShape;

/// Reads a CSV file of pixels, or those in a folder.
///
/// # Errors
/// [`DataError::Csv`], with its line, for a cell that is no number, a line of the wrong length, or columns that are no
/// label and square images; [`DataError::NoData`] for files without samples or labels.
pub fn open(path: &Path) -> Result<Dataset> {
    let files = if path.is_dir() { files_in_folder(path)? } else { vec![(split_of(path), path.to_owned())] };
    let mut classes = ClassNames::default();
    let mut parts: Vec<(TableShape, Samples)> = Vec::new();
    let mut notes = Vec::new();
    for (split, file) in files {
        let (shape, samples) = read_file(&file, split, &mut classes)?;
        if shape.label.is_none() {
            notes.push(format!("{} has no column of labels and was left out", file.display()));
            continue;
        }
        if let Some((first, other)) = parts.first().filter(|(first, _)| first.geometry != shape.geometry) {
            let (found, expected) = (shape.geometry, first.geometry);
            return Err(DataError::Geometry { path: file, found, other: other.path.clone(), expected });
        }
        parts.push((shape, samples));
    }
    let Some((shape, _)) = parts.first() else {
        return Err(DataError::NoData {
            path: path.to_owned(),
            found: "no table in it has a column of labels".into(),
            remedy: "add one, named label, before the pixels".into(),
        });
    };
    let geometry = shape.geometry;
    let (classes, places) = classes.sorted();
    let mut samples: Vec<Samples> = parts.into_iter().map(|(_, samples)| samples).collect();
    for label in samples.iter_mut().flat_map(|part| part.labels.iter_mut().flatten()) {
        *label = places[*label];
    }
    // One scale for all: bytes only if all files hold bytes.
    if samples.iter().any(|part| matches!(part.pixels, Pixels::Floats(_))) {
        samples.iter_mut().for_each(|part| pixel_column::make_floats(&mut part.pixels));
    }
    Ok(Dataset::from_samples(geometry, classes, samples)?.with_notes(notes))
}

/// Whether a file is a table of pixels by its name and first line, or a folder has such a file.
pub(crate) fn is_here(path: &Path) -> bool {
    if path.is_dir() {
        return list(path).is_ok_and(|(files, _)| files.iter().any(|file| is_labelled_table(file)));
    }
    is_labelled_table(path)
}

/// Numbers alone are not enough: a list of classes with their colours would be images of four pixels.
fn is_labelled_table(path: &Path) -> bool {
    is_pixel_table(path)
        && LineReader::open(path)
            .and_then(|mut reader| TableShape::of(&mut reader, path))
            .is_ok_and(|(shape, _)| shape.label.is_some())
}

fn is_pixel_table(path: &Path) -> bool {
    has_csv_extension(path)
        && !super::image_table::is_here(path)
        && LineReader::open(path).and_then(|mut reader| TableShape::of(&mut reader, path)).is_ok()
}

/// Whether a file is a table by its name.
pub(crate) fn has_csv_extension(path: &Path) -> bool {
    let name = name(path).to_lowercase();
    let name = name.trim_end_matches(".gz");
    name.ends_with(".csv") || name.ends_with(".tsv")
}

fn split_of(path: &Path) -> Split {
    split_by_file_name(&name(path)).unwrap_or(Split::Train)
}

fn files_in_folder(folder: &Path) -> Result<Vec<(Split, PathBuf)>> {
    let (files, _) = list(folder)?;
    let mut tables: Vec<(Split, PathBuf)> =
        files.into_iter().filter(|file| is_pixel_table(file)).map(|file| (split_of(&file), file)).collect();
    tables.sort();
    if let Some(two) = tables.windows(2).find(|two| two[0].0 == two[1].0) {
        let candidates = two.iter().map(|(split, file)| format!("{split} samples from {}", name(file))).collect();
        let remedy = "name one of the files, or rename them to train.csv, val.csv, test.csv".into();
        return Err(DataError::Ambiguous { path: folder.to_owned(), candidates, remedy });
    }
    if tables.is_empty() {
        let found = "there are no CSV files of pixels in it".to_string();
        return Err(DataError::NoData { path: folder.to_owned(), found, remedy: "check the path".into() });
    }
    Ok(tables)
}

fn read_file(path: &Path, split: Split, classes: &mut ClassNames) -> Result<(TableShape, Samples)> {
    let mut reader = LineReader::open(path)?;
    let (shape, first) = TableShape::of(&mut reader, path)?;
    let mut pixels = PixelColumn::new(shape.geometry);
    let (mut labels, mut lines) = (Vec::new(), Vec::new());
    let (mut line, mut record) = match first {
        Some((line, record)) => (Some(line), record),
        None => {
            let mut record = ByteRecord::new();
            (reader.next(&mut record)?, record)
        }
    };
    while let Some(number) = line {
        let wrong = |reason| DataError::Csv { path: path.to_owned(), line: number, reason };
        if record.len() != shape.num_columns {
            return Err(wrong(format!("{} columns where there should be {}", record.len(), shape.num_columns)));
        }
        for (column, cell) in record.iter().enumerate().filter(|&(column, _)| Some(column) != shape.label) {
            pixels.push(cell).map_err(|what| wrong(format!("{}: {what}", shape.column_name(column))))?;
        }
        pixels.end_image();
        labels.push(shape.label.and_then(|label| class_name(&record[label])).map(|name| classes.number(&name)));
        lines.push(number);
        line = reader.next(&mut record)?;
    }
    if labels.is_empty() {
        let found = "there are no lines of pixels in it".to_string();
        return Err(DataError::NoData {
            path: path.to_owned(),
            found,
            remedy: "check that it was written to its end".into(),
        });
    }
    Ok((shape, Samples { split, path: path.to_owned(), pixels: pixels.finish(), labels, lines: Some(lines) }))
}

/// A label cell as the name of a class: `7.0` is `7`; an empty cell and NaN are no label.
fn class_name(cell: &[u8]) -> Option<String> {
    let cell = String::from_utf8_lossy(cell);
    let cell = cell.trim();
    match cell.parse::<f64>() {
        Ok(value) if value.is_nan() => None,
        Ok(value) if value.fract() == 0.0 && value.abs() < 1e15 => Some((value as i64).to_string()),
        _ => Some(cell.to_string()).filter(|cell| !cell.is_empty()),
    }
}
