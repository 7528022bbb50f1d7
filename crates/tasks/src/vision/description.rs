//! What a checkpoint says of its model: enough to build it again and to feed it.

use gyrus_checkpoint::AtomicFolder;
use gyrus_data::Preprocess;
use gyrus_nn::layers::Frozen;
use gyrus_tensor::Rng;
use gyrus_train::record::{Checkpoint, RunFolder};
use gyrus_train::trainer::{TrainError, load_model};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::VisionTask;
use crate::TaskError;

/// The network of a task, of which parts may be frozen.
pub type Model<V> = Frozen<<V as VisionTask>::Network>;

/// What a checkpoint says of its model. `O` is what only its task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description<O> {
    /// The task's name.
    pub task: String,
    /// The model's name.
    pub model: String,
    /// The names of the classes, in the order of the model's outputs.
    pub classes: Vec<String>,
    /// What every image undergoes.
    pub preprocess: Preprocess,
    /// The task's own settings.
    pub options: O,
    /// The score from which on an answer counts in use, chosen on the validation data; of tasks that have one.
    #[serde(skip)]
    pub confidence: Option<f64>,
}

/// The file in a run's folder that has what was decided on the validation data.
pub(super) const DECISION: &str = "decision.json";

/// What is decided on the validation data when training is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Decision {
    /// See [`Description::confidence`].
    pub confidence: f64,
}

impl<O: DeserializeOwned> Description<O> {
    /// The best model of a run, with its description.
    ///
    /// # Errors
    /// If the checkpoint is missing, damaged, or not of this task.
    pub fn load<V: VisionTask<Options = O>>(run: &RunFolder) -> Result<(Description<O>, Model<V>), TaskError> {
        let folder = run.checkpoint(Checkpoint::Best);
        let mut description: Description<O> = read(&folder)?;
        let decision = std::fs::read(run.path().join(DECISION)).ok();
        let decision: Option<Decision> = decision.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        description.confidence = decision.map(|decision| decision.confidence);
        let mut model = Frozen::new(V::build(&description, &mut Rng::new(0))?, vec![]);
        load_model(&folder, &mut model)?;
        Ok((description, model))
    }
}

/// The description in a checkpoint.
pub(super) fn read<D: DeserializeOwned>(folder: &AtomicFolder) -> Result<D, TaskError> {
    const CONFIG: &str = "config.json";
    let files = folder.read(&[CONFIG])?;
    Ok(serde_json::from_slice(&files[CONFIG]).map_err(|error| TrainError::Foreign {
        path: folder.path().join(CONFIG).display().to_string(),
        reason: error.to_string(),
    })?)
}
