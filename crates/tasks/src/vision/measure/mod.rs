//! Measuring answers against the truth: a file for each kind of answer.

mod classes;
mod labels;
mod objects;
mod pixels;

pub use classes::ClassTally;
pub use labels::LabelsTally;
pub use objects::ObjectTally;
pub use pixels::PixelTally;

use gyrus_data::{DataError, Dataset, Geometry};
use gyrus_train::record::{Evaluation, Panel};

use super::Answer;
use crate::Scores;

/// Counts how right answers are.
pub trait Tally {
    /// Takes in the answer for an image.
    ///
    /// # Errors
    /// If the truth cannot be read.
    fn count(&mut self, truth: &Truth, answer: &Answer) -> Result<(), DataError>;

    /// Names and values of what is measured.
    fn scores(&self) -> Scores;

    /// The score from which on answers should count in use, where there is one to choose.
    fn confidence(&self) -> Option<f64> {
        None
    }

    /// What a report has of single classes.
    fn evaluation(&self, _split: &str) -> Option<Evaluation> {
        None
    }

    /// What a report shows beside: tables and curves.
    fn panels(&self) -> Vec<Panel> {
        vec![]
    }
}

/// What is known of an image.
pub struct Truth<'a> {
    /// Where it is from.
    pub dataset: &'a Dataset,
    /// The number of the sample.
    pub index: usize,
    /// The image's size.
    pub size: Geometry,
}
