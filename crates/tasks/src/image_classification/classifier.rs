//! A model with all that is needed to classify: what a checkpoint describes.

use gyrus_checkpoint::AtomicFolder;
use gyrus_data::{Loader, Preprocess};
use gyrus_models::{ImageModel, classification};
use gyrus_nn::{Context, Layer};
use gyrus_tensor::{Compiled, Rng, Tensor, compile};
use gyrus_train::trainer::{TrainError, load_model};
use serde::{Deserialize, Serialize};

use crate::TaskError;

/// Any model that classifies images.
pub type Model = Box<dyn ImageModel + Send>;

/// What a checkpoint says of its model: enough to build it again and to feed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The task's name.
    pub task: String,
    /// The model's name.
    pub model: String,
    /// The names of the classes, in the order of the model's outputs.
    pub classes: Vec<String>,
    /// What every image undergoes.
    pub preprocess: Preprocess,
}

impl Description {
    /// A new model.
    ///
    /// # Errors
    /// [`TaskError::Usage`] if there is no such model, or it cannot be made for these images.
    pub fn build(&self, rng: &mut Rng) -> Result<Model, TaskError> {
        let Preprocess { channels, size, .. } = &self.preprocess;
        classification(&self.model, *channels, self.classes.len(), *size, rng)
            .map_err(|error| TaskError::Usage(error.to_string()))
    }

    /// The trained model of a checkpoint, with its description.
    ///
    /// # Errors
    /// If the checkpoint is missing, damaged, or not of this task.
    pub fn load(folder: &AtomicFolder) -> Result<(Description, Model), TaskError> {
        const CONFIG: &str = "config.json";
        let files = folder.read(&[CONFIG])?;
        let description: Description = serde_json::from_slice(&files[CONFIG]).map_err(|error| TrainError::Foreign {
            path: folder.path().join(CONFIG).display().to_string(),
            reason: error.to_string(),
        })?;
        let mut model = description.build(&mut Rng::new(0))?;
        load_model(folder, &mut model)?;
        Ok((description, model))
    }
}

/// What a model says of some samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// `[N, C]`, row-major.
    pub probabilities: Vec<f32>,
    /// The true classes.
    pub targets: Vec<usize>,
    /// The samples' numbers in their dataset.
    pub indices: Vec<usize>,
}

impl Answers {
    /// The class of the greatest probability of each sample.
    pub fn predicted(&self) -> Vec<usize> {
        let num_classes = self.probabilities.len() / self.targets.len().max(1);
        self.probabilities.chunks_exact(num_classes.max(1)).map(best).collect()
    }
}

/// The index of the greatest probability; the first of equals.
pub fn best(probabilities: &[f32]) -> usize {
    let later_if_greater = |best: usize, (index, &p): (usize, &f32)| if p > probabilities[best] { index } else { best };
    probabilities.iter().enumerate().fold(0, later_if_greater)
}

/// Compiled inference: images `[N, C, H, W]` to probabilities `[N, classes]`.
pub struct Classify<F> {
    forward: Compiled<F, Model, Tensor, Tensor>,
    images: Option<Tensor>,
}

/// Prepares inference.
pub fn classify() -> Classify<impl FnMut(&mut Model, Tensor) -> Tensor> {
    let forward =
        compile(|model: &mut Model, images: Tensor| model.forward(&images, &mut Context::evaluate()).softmax(-1));
    Classify { forward, images: None }
}

impl<F: FnMut(&mut Model, Tensor) -> Tensor> Classify<F> {
    /// The probabilities of a batch.
    pub fn probabilities(&mut self, model: &mut Model, shape: [usize; 4], images: &[f32]) -> Tensor {
        assign(&mut self.images, &shape, images);
        self.forward.call(model, self.images.clone().expect("just assigned"))
    }

    /// What the model says of all samples of a loader.
    ///
    /// # Errors
    /// If an image cannot be read.
    pub fn answers(&mut self, model: &mut Model, loader: &Loader) -> Result<Answers, TrainError> {
        let mut answers = Answers::default();
        for batch in loader.epoch(0, 0) {
            let batch = batch?;
            let probabilities = self.probabilities(model, batch.shape, &batch.images);
            probabilities.read(|numbers: &[f32]| answers.probabilities.extend_from_slice(numbers));
            answers.targets.extend(batch.labels.iter().map(|&label| label as usize));
            answers.indices.extend_from_slice(&batch.indices);
        }
        Ok(answers)
    }
}

/// Writes elements into a tensor, in place if it has the shape.
pub fn assign<T: gyrus_tensor::Element>(tensor: &mut Option<Tensor>, shape: &[usize], elements: &[T]) {
    match tensor {
        Some(tensor) if tensor.shape()[..] == *shape => tensor.assign(elements),
        _ => *tensor = Some(Tensor::from_slice(shape, elements)),
    }
}
