//! What the loader yields.

use std::sync::{Arc, Mutex, PoisonError};

use crate::target::PlacedObject;
use crate::transforms::Projection;

/// Some samples, ready for the net: N images in a frame of H x W pixels. When it is dropped, its memory is used for a batch
/// to come.
///
/// Of the targets there is what their kind has; the rest is empty.
#[derive(Debug, Default)]
pub struct Batch {
    /// The images, NCHW, preprocessed.
    pub images: Vec<f32>,
    /// The class of each image, `[N]`; where images are mixed, the one of the greatest weight.
    pub labels: Vec<i64>,
    /// The weight of each class in each image, `[N, classes]`: of images of several classes, and where images are mixed.
    pub weights: Vec<f32>,
    /// The objects of all images, image after image, in pixels of the frame: see [`objects_of`](Self::objects_of).
    pub objects: Vec<PlacedObject>,
    /// Where the objects of each image end, `[N]`.
    pub object_ends: Vec<usize>,
    /// The label of each pixel, `[N, H, W]`: its class, or [`IGNORED_PIXEL`]; of objects, the number of the object among
    /// those of its image from 1 on, and 0 for none.
    pub pixel_labels: Vec<i64>,
    /// Where the pixels of each image went in the frame, `[N]`; its inverse brings predictions back to the image.
    pub projections: Vec<Projection>,
    /// The number of each sample in its dataset.
    pub indices: Vec<usize>,
    /// N, C, H, W.
    pub shape: [usize; 4],
    pool: Option<Arc<Pool>>,
}

/// The label of a pixel that is neither learnt nor measured: what a loss is told to ignore.
pub const IGNORED_PIXEL: i64 = -1;

/// Batches whose memory is free.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Batch>>,
}

impl Pool {
    /// Has memory at hand for this many batches.
    pub(super) fn prepare(&self, num_batches: usize, new: impl Fn() -> Batch) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in free.len()..num_batches {
            free.push(new());
        }
    }

    /// An empty batch, with the memory of an old one if there is one.
    pub(super) fn take(self: &Arc<Self>) -> Batch {
        let mut batch = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        batch.images.clear();
        batch.labels.clear();
        batch.weights.clear();
        batch.objects.clear();
        batch.object_ends.clear();
        batch.pixel_labels.clear();
        batch.projections.clear();
        batch.indices.clear();
        batch.pool = Some(self.clone());
        batch
    }
}

impl Batch {
    /// How many samples it has.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether it has no samples.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The objects of the image at a place in the batch.
    ///
    /// # Panics
    /// If there is no such image, or targets are not objects.
    #[track_caller]
    pub fn objects_of(&self, place: usize) -> &[PlacedObject] {
        let start = if place == 0 { 0 } else { self.object_ends[place - 1] };
        &self.objects[start..self.object_ends[place]]
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            let batch = std::mem::take(self);
            pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        }
    }
}
