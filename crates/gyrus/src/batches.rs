//! From a data set to tensors, the short way.

use std::sync::Arc;

use gyrus_data::{Batch, Dataset, Loader, LoaderConfig, Preprocess, Resize, Result, Split};
use gyrus_tensor::Tensor;

/// Loading a [`Dataset`] with what most programs want. [`Loader::new`] has all the choices.
pub trait Batches {
    /// Batches of so many images of a split, each of `size`, height and width in pixels: smaller images stand in the
    /// middle, larger ones are scaled down to fit. Numbers are normalised by mean and standard deviation of the
    /// training images. The training split is shuffled, anew in each epoch.
    ///
    /// # Errors
    /// If the split is empty, or a training image cannot be read.
    ///
    /// ```
    /// use gyrus::prelude::*;
    ///
    /// let batches = shipped::digits()?.batches(Split::Test, 100, [32, 32])?;
    /// let (images, labels) = batches.epoch(0, 0).next().unwrap()?.tensors();
    /// assert_eq!((&images.shape()[..], &labels.shape()[..]), (&[100, 1, 32, 32][..], &[100][..]));
    /// # Ok::<(), DataError>(())
    /// ```
    fn batches(self, split: Split, batch_size: usize, size: [usize; 2]) -> Result<Loader>;
}

impl Batches for Dataset {
    fn batches(self, split: Split, batch_size: usize, size: [usize; 2]) -> Result<Loader> {
        Arc::new(self).batches(split, batch_size, size)
    }
}

/// For several splits of one data set.
impl Batches for Arc<Dataset> {
    fn batches(self, split: Split, batch_size: usize, [height, width]: [usize; 2]) -> Result<Loader> {
        let (geometry, preprocess) = (self.geometry(), Preprocess::new(self.geometry()));
        let fits = geometry.height <= height && geometry.width <= width;
        let preprocess = match fits {
            true => preprocess.placed_in(height, width),
            false => preprocess.resized_to(height, width, Resize::Letterbox),
        };
        let preprocess = preprocess.measured(&self)?;
        let shuffle = split == Split::Train;
        Loader::new(self, split, LoaderConfig { batch_size, shuffle, ..LoaderConfig::new(preprocess) })
    }
}

/// A [`Batch`] as tensors.
pub trait Tensors {
    /// Images `f32[N, C, H, W]` and labels `i64[N]`.
    fn tensors(&self) -> (Tensor, Tensor);
}

impl Tensors for Batch {
    fn tensors(&self) -> (Tensor, Tensor) {
        (Tensor::from_slice(self.shape, &self.images), Tensor::from_slice([self.len()], &self.labels))
    }
}
