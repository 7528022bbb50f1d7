//! What a model says of images, as files that other programs read: a file for each format.

mod coco;
mod csv;
mod drawn;
mod lines;
mod masks;
mod names;
mod yolo;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gyrus_checkpoint::{CheckpointError, write_atomically};
use gyrus_data::{Geometry, ImageBuffer};

use self::names::Names;
use super::Answer;
use crate::TaskError;

/// What a model says of an image, with the image.
pub struct Said<'a> {
    /// Where the image is from, as it was named.
    pub source: &'a str,
    /// The image's name among those of the same source: what files about it are named after.
    pub name: &'a Path,
    /// The image, as it was read.
    pub image: &'a ImageBuffer,
    /// What the model says.
    pub answer: &'a Answer,
}

impl Said<'_> {
    /// The image's size.
    pub fn size(&self) -> Geometry {
        self.image.geometry()
    }
}

/// A way to write answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line an image, for people.
    Text,
    /// A JSON object an image, each on its line.
    Json,
    /// A table with a header: a row for each image, or for each object on it.
    Csv,
    /// YOLO's labels with confidences: a text file an image.
    Yolo,
    /// COCO's JSON, of results and as a data set.
    Coco,
    /// The pixels of classes, or of objects, as PNG.
    Masks,
    /// The image with the answer drawn over it, as PNG.
    Pictures,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 7] =
        [Format::Text, Format::Json, Format::Csv, Format::Yolo, Format::Coco, Format::Masks, Format::Pictures];

    /// What it is asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Yolo => "yolo",
            Format::Coco => "coco",
            Format::Masks => "masks",
            Format::Pictures => "pictures",
        }
    }

    /// Whether it is lines of text, which need no folder.
    pub fn is_lines(self) -> bool {
        matches!(self, Format::Text | Format::Json | Format::Csv)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Format::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| format!("`{text}` is none of {}", Format::ALL.map(Format::name).join(", ")))
    }
}

/// Answers as lines of text.
pub trait Lines {
    /// The lines for an answer; the first ones of all may be a header.
    ///
    /// # Errors
    /// [`TaskError::Usage`] if the format has no place for answers of this kind.
    fn lines(&mut self, said: &Said) -> Result<Vec<String>, TaskError>;
}

/// Answers as files.
pub trait Files {
    /// Takes in an answer, and writes what there is one file an image of.
    ///
    /// # Errors
    /// [`TaskError::Usage`] if the format has no place for answers of this kind; if a file cannot be written.
    fn write(&mut self, said: &Said) -> Result<(), TaskError>;

    /// Writes what there is one file for all images of.
    ///
    /// # Errors
    /// If a file cannot be written.
    fn finish(&mut self) -> Result<(), TaskError> {
        Ok(())
    }
}

/// A format as lines, if it is one of lines.
pub fn lines<'a>(format: Format, classes: &'a [String]) -> Option<Box<dyn Lines + 'a>> {
    match format {
        Format::Text => Some(Box::new(lines::Text { classes })),
        Format::Json => Some(Box::new(lines::Json { classes })),
        Format::Csv => Some(Box::new(csv::Csv::new(classes))),
        _ => None,
    }
}

/// A format as files in a folder, which is made if it is not there.
///
/// # Errors
/// If the folder cannot be made.
pub fn files<'a>(format: Format, folder: &Path, classes: &'a [String]) -> Result<Box<dyn Files + 'a>, TaskError> {
    let within = |name: &str| {
        let path = folder.join(name);
        fs::create_dir_all(&path).map_err(CheckpointError::write(&path)).map(|()| path)
    };
    let gathered = |name: &str| -> Result<Box<dyn Files + 'a>, TaskError> {
        let lines = lines(format, classes).expect("a format of lines");
        Ok(Box::new(Gathered { path: within("")?.join(name), lines, text: String::new() }))
    };
    Ok(match format {
        Format::Text => gathered("predictions.txt")?,
        Format::Json => gathered("predictions.jsonl")?,
        Format::Csv => gathered("predictions.csv")?,
        Format::Yolo => Box::new(yolo::Yolo { folder: within("labels")?, names: Names::default(), classes }),
        Format::Coco => Box::new(coco::Coco::new(within("")?, classes)),
        Format::Masks => Box::new(masks::Masks { folder: within("masks")?, names: Names::default(), classes }),
        Format::Pictures => Box::new(drawn::Drawn { folder: within("pictures")?, names: Names::default(), classes }),
    })
}

/// Lines that become one file.
struct Gathered<'a> {
    path: PathBuf,
    lines: Box<dyn Lines + 'a>,
    text: String,
}

impl Files for Gathered<'_> {
    fn write(&mut self, said: &Said) -> Result<(), TaskError> {
        for line in self.lines.lines(said)? {
            self.text.push_str(&line);
            self.text.push('\n');
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), TaskError> {
        write_file(&self.path, self.text.as_bytes())
    }
}

/// Writes a file crash-safe; folders on the way to it are made.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), TaskError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(CheckpointError::write(folder))?;
    }
    Ok(write_atomically(path, |file| file.write_all(bytes))?)
}

/// Says that a format has no place for an answer.
fn unfit(format: Format, answer: &Answer) -> TaskError {
    let (what, others) = match answer {
        Answer::Class(_) | Answer::Classes(_) => ("classes of whole images", "text, json, csv, pictures"),
        Answer::Objects(_) => ("objects without masks", "text, json, csv, yolo, coco, pictures"),
        Answer::Pixels(_) => ("classes of pixels", "text, json, csv, masks, pictures"),
    };
    TaskError::Usage(format!("--format {format}: has no place for {what}; formats that have are {others}"))
}

#[cfg(test)]
mod tests;
