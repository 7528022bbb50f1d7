//! The task as the trainer sees it.

use std::sync::Arc;

use gyrus_data::{Batch, Loader};
use gyrus_metrics::{accuracy, cross_entropy};
use gyrus_nn::Layer;
use gyrus_nn::losses::CrossEntropy;
use gyrus_tensor::{DType, Tensor};
use gyrus_train::trainer::{Learner, Objective, ObjectiveFn, TrainError};

use super::classifier::{Classify, Model, assign};

/// Trains on one loader, validates on another.
pub struct ImageLearner<F> {
    pub training: Loader,
    pub validation: Loader,
    pub classify: Classify<F>,
    pub label_smoothing: f64,
}

impl<F: FnMut(&mut Model, Tensor) -> Tensor> Learner for ImageLearner<F> {
    type Model = Model;
    type Batch = Batch;
    /// Images `f32[N, C, H, W]` and classes `i64[N]`.
    type Tensors = (Tensor, Tensor);

    fn objective(&self) -> ObjectiveFn<Model, (Tensor, Tensor)> {
        let cross_entropy = CrossEntropy::default().label_smoothing(self.label_smoothing);
        Arc::new(move |model, (images, labels), context| {
            let logits = model.forward(images, context);
            let is_correct = logits.argmax(-1).eq(labels);
            Objective {
                loss: cross_entropy.loss(&logits, labels),
                metrics: vec![is_correct.to_dtype(DType::F32).sum(..)],
            }
        })
    }

    fn metric_names(&self) -> &[&'static str] {
        &["accuracy"]
    }

    fn num_samples(&self) -> usize {
        self.training.num_samples()
    }

    fn num_batches(&self) -> usize {
        self.training.num_batches()
    }

    fn batches(&self, epoch: usize, start: usize) -> Box<dyn Iterator<Item = Result<Batch, TrainError>> + '_> {
        Box::new(self.training.epoch(epoch, start).map(|batch| batch.map_err(TrainError::from)))
    }

    fn len(&self, batch: &Batch) -> usize {
        batch.len()
    }

    fn fill(&self, batch: &Batch, tensors: &mut Option<(Tensor, Tensor)>) {
        let (mut images, mut labels) = tensors.take().unzip();
        assign(&mut images, &batch.shape, &batch.images);
        assign(&mut labels, &[batch.len()], &batch.labels);
        *tensors = images.zip(labels);
    }

    fn origins(&self, batch: &Batch) -> Vec<String> {
        let dataset = self.training.dataset();
        batch.indices.iter().map(|&index| dataset.origin(index).to_string()).collect()
    }

    fn validate(&mut self, model: &mut Model) -> Result<Vec<(String, f64)>, TrainError> {
        let answers = self.classify.answers(model, &self.validation)?;
        let num_classes = self.validation.dataset().classes().len();
        Ok(vec![
            ("loss".into(), cross_entropy(&answers.probabilities, num_classes, &answers.targets)),
            ("accuracy".into(), accuracy(&answers.predicted(), &answers.targets)),
        ])
    }
}
