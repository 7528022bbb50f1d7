//! Normalisation over the batch.

use gyrus_tensor::{Buffer, DType, Tensor, num_shares};

use super::channels::check_channels;
use crate::{Context, Layer, Module};

/// Normalises each channel: `y = (x - mean) / sqrt(variance + eps) * weight + bias`.
///
/// In training, mean and biased variance are those of the batch over all axes but the channels', and the
/// running ones move towards them, `running = (1 - momentum) * running + momentum * batch`, the variance by
/// its unbiased estimate. Otherwise, and where the weight is [frozen](super::Frozen), the running ones are used.
///
/// # Shapes
/// `[N, num_features, spatial..]` or `[N, num_features]` to the same; parameters and running statistics
/// `[num_features]`.
///
/// # Source
/// Ioffe, Szegedy, Batch Normalization (2015); momentum and estimates as in PyTorch.
#[derive(Clone, Debug, Module)]
pub struct BatchNorm {
    /// The scale, initially 1.
    pub weight: Tensor,
    /// The shift, initially 0.
    pub bias: Tensor,
    /// The mean for evaluation, initially 0.
    pub running_mean: Buffer,
    /// The variance for evaluation, initially 1.
    pub running_var: Buffer,
    /// How many batches the running statistics have seen, `i64`.
    pub num_batches_tracked: Buffer,
    momentum: f64,
    eps: f64,
}

impl BatchNorm {
    /// With momentum 0.1 and `eps` 1e-5.
    pub fn new(num_features: usize) -> Self {
        let ones = || Tensor::ones([num_features], DType::F32);
        let zeros = || Tensor::zeros([num_features], DType::F32);
        BatchNorm {
            weight: ones(),
            bias: zeros(),
            running_mean: Buffer::new(zeros()),
            running_var: Buffer::new(ones()),
            num_batches_tracked: Buffer::new(Tensor::scalar(0i64)),
            momentum: 0.1,
            eps: 1e-5,
        }
    }

    /// The share of the batch's statistics in the running ones, from 0 to 1.
    pub fn momentum(self, momentum: f64) -> Self {
        BatchNorm { momentum, ..self }
    }

    /// What is added to the variance.
    pub fn eps(self, eps: f64) -> Self {
        BatchNorm { eps, ..self }
    }

    /// Moves the running statistics towards those of a batch of `count` elements in each channel.
    fn track(&self, mean: Tensor, variance: Tensor, count: usize) {
        let unbiased = variance * (count as f64 / (count - 1) as f64);
        for (running, batch) in [(&self.running_mean, mean), (&self.running_var, unbiased)] {
            running.set(running.get() * (1.0 - self.momentum) + batch * self.momentum);
        }
        self.num_batches_tracked.set(self.num_batches_tracked.get() + 1);
    }
}

impl Layer for BatchNorm {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let (x, num_features) = (input.value(), self.weight.num_elements());
        check_channels("batch_norm", input, 2, "num_features", num_features);
        let (weight, bias) = (self.weight.value(), self.bias.value());
        if !context.is_learning(&self.weight) {
            let (mean, variance) = (self.running_mean.get(), self.running_var.get());
            return x.batch_norm_inference(weight, bias, mean.value(), variance.value(), self.eps).into();
        }
        // The statistics are those of all shares of the batch.
        let count = x.shape().num_elements() / num_features.max(1) * num_shares();
        assert!(count > 1, "batch_norm: input {}: training needs more than one element in each channel", x.spec());
        let [y, mean, variance] = x.batch_norm_training(weight, bias, self.eps);
        self.track(mean.into(), variance.into(), count);
        y.into()
    }
}
