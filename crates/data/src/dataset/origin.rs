//! Where a sample came from.

use std::fmt;
use std::path::PathBuf;

/// Where a sample came from, for messages: `digits/train.csv, line 7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// Where in the file, unless the file is the sample.
    pub place: Option<Place>,
}

/// Where in a file a sample stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The number of the sample, from 0.
    Sample(usize),
    /// The line of text, from 1.
    Line(u64),
    /// The image in a file of many, from 0.
    Page(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        match self.place {
            None => Ok(()),
            Some(Place::Sample(sample)) => write!(formatter, ", sample {sample}"),
            Some(Place::Line(line)) => write!(formatter, ", line {line}"),
            Some(Place::Page(page)) => write!(formatter, ", page {page}"),
        }
    }
}
