//! A task on images as the trainer sees it.

use std::sync::Arc;

use gyrus_data::{Batch, Dataset, Loader, Split};
use gyrus_train::trainer::{Learner, ObjectiveFn, TrainError};

use super::predictor::{Predictor, measure};
use super::{Description, Model, VisionTask};

/// Trains on a loader's batches, validates on a split.
pub struct VisionLearner<'a, V: VisionTask> {
    pub description: &'a Description<V::Options>,
    pub training: Loader,
    pub validation: Split,
    pub predictor: Predictor<'a, V>,
}

impl<V: VisionTask> VisionLearner<'_, V> {
    fn dataset(&self) -> &Arc<Dataset> {
        self.training.dataset()
    }
}

impl<V: VisionTask> Learner for VisionLearner<'_, V> {
    type Model = Model<V>;
    type Batch = Batch;
    type Tensors = V::Tensors;

    fn objective(&self) -> ObjectiveFn<Model<V>, V::Tensors> {
        let objective = V::objective(self.description, self.dataset());
        Arc::new(move |model, tensors, context| {
            model.hold(context, |network, context| objective(network, tensors, context))
        })
    }

    fn metric_names(&self) -> &[&'static str] {
        V::METRICS
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

    fn fill(&self, batch: &Batch, tensors: &mut V::Tensors) {
        V::fill(self.description, batch, tensors);
    }

    fn origins(&self, batch: &Batch) -> Vec<String> {
        batch.indices.iter().map(|&index| self.dataset().origin(index).to_string()).collect()
    }

    fn validate(&mut self, model: &mut Model<V>) -> Result<Vec<(String, f64)>, TrainError> {
        let mut tally = V::tally(self.description);
        let dataset = self.dataset().clone();
        measure(&mut self.predictor, model, &dataset, self.validation, &mut *tally, |_, _| Ok(()))?;
        Ok(tally.scores())
    }
}
