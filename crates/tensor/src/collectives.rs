//! What several devices find, brought together.

use crate::{Gradients, Tensor, num_shares};

impl Tensor {
    /// The mean over the devices that run a compiled function together, element by element; with one device, the tensor
    /// itself. Where each has the mean over its share of a batch, it is the mean over the batch.
    pub fn all_reduce_mean(&self) -> Tensor {
        self.value().all_reduce_mean().into()
    }

    /// As [`Tensor::all_reduce_mean`], the sum: where each has the sum over its share of a batch, the sum over the batch.
    pub fn all_reduce_sum(&self) -> Tensor {
        match num_shares() {
            1 => self.all_reduce_mean(),
            count => self.all_reduce_mean() * count as f64,
        }
    }
}

impl Gradients {
    /// The mean over the devices that run a compiled function together; see [`Tensor::all_reduce_mean`].
    pub fn all_reduce_mean(&self) -> Gradients {
        self.map(Tensor::all_reduce_mean)
    }
}
