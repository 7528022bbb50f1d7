//! What the loader yields.

use std::sync::{Arc, Mutex, PoisonError};

/// Some samples, ready for the net. When it is dropped, its memory is used for a batch to come.
#[derive(Debug, Default)]
pub struct Batch {
    /// The images, NCHW, preprocessed.
    pub images: Vec<f32>,
    /// The class of each image.
    pub labels: Vec<i64>,
    /// The number of each sample in its dataset.
    pub indices: Vec<usize>,
    /// N, C, H, W.
    pub shape: [usize; 4],
    pool: Option<Arc<Pool>>,
}

/// Batches whose memory is free.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Batch>>,
}

impl Pool {
    /// Has memory at hand for this many batches of `batch_size` samples, each with an image of `size` values.
    pub(super) fn prepare(&self, num_batches: usize, batch_size: usize, size: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in free.len()..num_batches {
            let images = Vec::with_capacity(batch_size * size);
            let (labels, indices) = (Vec::with_capacity(batch_size), Vec::with_capacity(batch_size));
            free.push(Batch { images, labels, indices, shape: [0; 4], pool: None });
        }
    }

    /// An empty batch, with the memory of an old one if there is one.
    pub(super) fn take(self: &Arc<Self>) -> Batch {
        let mut batch = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        batch.images.clear();
        batch.labels.clear();
        batch.indices.clear();
        batch.pool = Some(self.clone());
        batch
    }
}

impl Batch {
    /// How many samples it has.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether it has no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            let batch = Batch {
                images: std::mem::take(&mut self.images),
                labels: std::mem::take(&mut self.labels),
                indices: std::mem::take(&mut self.indices),
                shape: [0; 4],
                pool: None,
            };
            pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        }
    }
}
