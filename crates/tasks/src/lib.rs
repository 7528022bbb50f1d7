//! Tasks: from data to a trained model that predicts and explains itself. One folder each.

extern crate gyrus_nn as gyrus;

mod config;
pub mod detection;
mod error;
pub mod image_classification;
pub mod instance_segmentation;
pub mod localization;
pub mod nuclei;
pub mod semantic_segmentation;
mod task;
pub mod vision;

use detection::Detection;
use image_classification::ImageClassification;
use instance_segmentation::InstanceSegmentation;
use localization::Localization;
use nuclei::Nuclei;
use semantic_segmentation::SemanticSegmentation;
use vision::Vision;

pub use config::{Config, Layer, Origin};
pub use error::TaskError;
pub use task::{Evaluation, Explanation, Finished, Question, Request, Scores, Session, Task};

/// Every task.
pub fn all() -> Vec<&'static dyn Task> {
    vec![
        Vision::<ImageClassification>::TASK,
        Vision::<Localization>::TASK,
        Vision::<Detection>::TASK,
        Vision::<InstanceSegmentation>::TASK,
        Vision::<Nuclei>::TASK,
        Vision::<SemanticSegmentation>::TASK,
    ]
}

/// The task of a name.
///
/// # Errors
/// [`TaskError::Usage`] that lists the names.
pub fn named(name: &str) -> Result<&'static dyn Task, TaskError> {
    let names: Vec<&str> = all().iter().map(|task| task.name()).collect();
    let found = all().into_iter().find(|task| task.name() == name);
    found.ok_or_else(|| TaskError::Usage(format!("there is no task `{name}`; the tasks are {}", names.join(", "))))
}
