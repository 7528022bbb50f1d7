//! What a task asks of the trainer.

use std::sync::Arc;

use gyrus_nn::Context;
use gyrus_tensor::{Module, Tensor};

use super::TrainError;

/// What one step is to make less, and what it reports beside.
pub struct Objective {
    /// The mean loss of the batch, a scalar.
    pub loss: Tensor,
    /// For each of [`Learner::metric_names`] the sum over the batch's samples, a scalar of any type.
    pub metrics: Vec<Tensor>,
}

/// From a model and a batch to an objective; compiled together with gradient and optimizer.
pub type ObjectiveFn<M, T> = Arc<dyn Fn(&M, &T, &mut Context) -> Objective + Send + Sync>;

/// What a task brings to be trained.
pub trait Learner {
    /// The model.
    type Model: Module + Send + 'static;
    /// A batch as it comes from the data.
    type Batch;
    /// A batch as tensors.
    type Tensors: Module + Clone + Default + 'static;

    /// What each step makes less.
    fn objective(&self) -> ObjectiveFn<Self::Model, Self::Tensors>;

    /// The names of what a step reports beside the loss: means over samples.
    fn metric_names(&self) -> &[&'static str];

    /// The number of training samples of an epoch.
    fn num_samples(&self) -> usize;

    /// The number of batches of an epoch.
    fn num_batches(&self) -> usize;

    /// The batches of an epoch from a given one on: the same for the same numbers, whatever came before.
    fn batches(&self, epoch: usize, start: usize) -> Box<dyn Iterator<Item = Result<Self::Batch, TrainError>> + '_>;

    /// The number of samples of a batch.
    fn len(&self, batch: &Self::Batch) -> usize;

    /// Whether a batch has no samples.
    fn is_empty(&self, batch: &Self::Batch) -> bool {
        self.len(batch) == 0
    }

    /// Writes a batch into tensors, in place where they fit.
    fn fill(&self, batch: &Self::Batch, tensors: &mut Self::Tensors);

    /// Where the samples of a batch come from, for a person to look at.
    fn origins(&self, batch: &Self::Batch) -> Vec<String>;

    /// Measures the model on the validation data: names and values, `loss` among them.
    ///
    /// # Errors
    /// If the data cannot be read.
    fn validate(&mut self, model: &mut Self::Model) -> Result<Vec<(String, f64)>, TrainError>;
}
