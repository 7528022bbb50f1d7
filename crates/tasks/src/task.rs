//! What all tasks have in common.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use gyrus_data::Dataset;
use gyrus_tensor::Device;
use gyrus_train::record::{ProgressMode, RunFolder};

use crate::{Config, TaskError};

/// What a command provides to a task.
pub struct Session<'a> {
    /// The folder of all runs.
    pub runs: PathBuf,
    /// How many threads compute, if the command says so; else the configuration does.
    pub threads: Option<usize>,
    /// Where it is computed, if the command says so; else the configuration does.
    pub device: Option<Device>,
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Becomes true when someone wants training to stop.
    pub interrupted: &'a AtomicBool,
    /// Takes messages for people.
    pub say: &'a (dyn Fn(&str) + Sync),
}

/// Names and values of metrics, in the order in which they are shown: `test/accuracy`.
pub type Scores = Vec<(String, f64)>;

/// What a training command came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The run's folder.
    pub run: PathBuf,
    /// Whether it was interrupted, and can be resumed.
    pub is_interrupted: bool,
    /// What was measured.
    pub scores: Scores,
}

/// What a model is to be measured on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Data other than the test data that it was trained beside.
    pub data: Option<String>,
    /// Whether answers are those on each image and its mirror image together, even if they were not in training.
    pub mirror: bool,
}

impl Evaluation {
    /// On these data.
    pub fn on(data: impl Into<String>) -> Evaluation {
        Evaluation { data: Some(data.into()), ..Evaluation::default() }
    }
}

/// What a model is to be applied to, and what is to become of its answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Files, folders, patterns, or `-` for standard input.
    pub sources: Vec<String>,
    /// The formats to write; with none the task has its own choice.
    pub formats: Vec<String>,
    /// The folder for files. Without one, answers are lines of text.
    pub folder: Option<PathBuf>,
    /// Whether lines of text are JSON, where no other format is asked for.
    pub json: bool,
    /// The score from which on an answer counts, if not that chosen in training.
    pub confidence: Option<f64>,
    /// Whether answers are those on each image and its mirror image together.
    pub mirror: bool,
}

/// What is to be explained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// A file, or `-` for standard input.
    pub source: String,
    /// The way to explain.
    pub method: String,
    /// The class to explain, if not the one that the model is surest of.
    pub class: Option<String>,
    /// The file for the picture, if not one named after source and method.
    pub out: Option<PathBuf>,
    /// Whether to compare it with networks of random weights.
    pub check: bool,
}

/// An explanation, beside its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// For a person.
    pub text: String,
    /// For a program.
    pub json: serde_json::Value,
}

/// A kind of data with a kind of model: everything that the command line offers for it.
pub trait Task: Sync {
    /// Its published name: `image_classification`.
    fn name(&self) -> &'static str;

    /// One line of help.
    fn summary(&self) -> &'static str;

    /// The data sets that come with gyrus, and that this task trains on.
    fn shipped_data(&self) -> &'static [&'static str];

    /// Whether it is what someone wants who has these data and says no more.
    fn suits(&self, data: &Dataset) -> bool;

    /// Every key of its configuration with the default value.
    fn defaults(&self) -> toml::Table;

    /// Checks the data, trains baselines and the model, evaluates and reports.
    ///
    /// # Errors
    /// [`TaskError`]; what was saved by then can be resumed.
    fn train(&self, config: Config, session: &Session) -> Result<Finished, TaskError>;

    /// Continues a run that ended early.
    ///
    /// # Errors
    /// As [`Task::train`].
    fn resume(&self, run: &RunFolder, session: &Session) -> Result<Finished, TaskError>;

    /// Measures a run's best model.
    ///
    /// # Errors
    /// [`TaskError`].
    fn evaluate(&self, run: &RunFolder, evaluation: &Evaluation, session: &Session) -> Result<Scores, TaskError>;

    /// Applies a run's best model; `emit` gets lines to print.
    ///
    /// # Errors
    /// [`TaskError`].
    fn predict(
        &self,
        run: &RunFolder,
        request: &Request,
        session: &Session,
        emit: &mut dyn FnMut(&str),
    ) -> Result<(), TaskError>;

    /// Explains what a run's best model says of a sample, by a picture.
    ///
    /// # Errors
    /// [`TaskError`].
    fn explain(&self, run: &RunFolder, question: &Question, session: &Session) -> Result<Explanation, TaskError>;
}
