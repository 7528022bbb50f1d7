//! Making batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::loader::LoaderConfig;
use crate::loader::batch::{Batch, Pool};
use crate::transforms::Scratch;
use crate::{DataError, Dataset, ImageBuffer, Result};

/// What every worker of an epoch knows.
pub(super) struct Plan {
    pub(super) dataset: Arc<Dataset>,
    pub(super) config: Arc<LoaderConfig>,
    pub(super) pool: Arc<Pool>,
    pub(super) order: Vec<usize>,
    pub(super) epoch: usize,
    pub(super) stop: AtomicBool,
}

/// The memory of one worker.
#[derive(Default)]
pub(super) struct Worker {
    image: ImageBuffer,
    scratch: Scratch,
}

impl Worker {
    /// The batch of this number; nothing if the epoch was left.
    pub(super) fn batch(&mut self, plan: &Plan, number: usize) -> Option<Result<Batch>> {
        let config = &plan.config;
        let start = number * config.batch_size;
        let indices = &plan.order[start..(start + config.batch_size).min(plan.order.len())];
        let geometry = config.preprocess.geometry();
        let size = geometry.num_elements();
        let mut batch = plan.pool.take();
        batch.shape = [indices.len(), geometry.channels, geometry.height, geometry.width];
        batch.images.resize(indices.len() * size, 0.0);
        batch.indices.extend_from_slice(indices);
        for (position, &index) in indices.iter().enumerate() {
            if plan.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Err(error) = self.load(plan, index, &mut batch, position * size..(position + 1) * size) {
                return Some(Err(error));
            }
        }
        Some(Ok(batch))
    }

    fn load(&mut self, plan: &Plan, index: usize, batch: &mut Batch, range: std::ops::Range<usize>) -> Result<()> {
        let LoaderConfig { preprocess, augment, seed, .. } = &*plan.config;
        let label = plan.dataset.label(index);
        let label = label.ok_or_else(|| DataError::LabelMissing { origin: plan.dataset.origin(index) })?;
        batch.labels.push(label as i64);
        plan.dataset.read(index, &mut self.image)?;
        preprocess.fit(&mut self.image, &mut self.scratch);
        augment.apply(&mut self.image, &mut self.scratch, *seed, plan.epoch, index);
        preprocess.normalise(&self.image, &mut batch.images[range]);
        Ok(())
    }
}
