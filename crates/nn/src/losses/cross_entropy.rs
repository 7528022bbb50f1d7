//! The cross-entropy with class labels.

use gyrus_tensor::{DType, Tensor};

/// The mean over the batch of the cross-entropy of `softmax(logits)` with class labels:
/// `loss = mean over n of log(sum over c of exp(logits[n, c])) - logits[n, targets[n]]`, in nats.
///
/// # Shapes
/// As of [`CrossEntropy::loss`].
///
/// # Panics
/// As [`CrossEntropy::loss`].
///
/// ```
/// use gyrus_nn::losses::cross_entropy;
/// use gyrus_tensor::Tensor;
///
/// let logits = Tensor::from_slice([2, 3], &[2.0f32, 1.0, 0.0, 0.0, 0.0, 0.0]);
/// let loss = cross_entropy(&logits, &Tensor::from_slice([2], &[0i64, 2]));
/// assert_eq!(loss.rank(), 0);
/// ```
#[track_caller]
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Tensor {
    CrossEntropy::default().loss(logits, targets)
}

/// The cross-entropy with options.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    label_smoothing: f64,
    ignore_index: Option<i64>,
}

impl CrossEntropy {
    /// The share of the target, from 0 to 1, that goes to all classes evenly. Szegedy et al., Rethinking the
    /// Inception Architecture (2016), section 7.
    pub fn label_smoothing(self, label_smoothing: f64) -> Self {
        CrossEntropy { label_smoothing, ..self }
    }

    /// The label of what does not count, which need not be a class. The mean is over what counts; over
    /// nothing it is NaN.
    pub fn ignore_index(self, ignore_index: i64) -> Self {
        CrossEntropy { ignore_index: Some(ignore_index), ..self }
    }

    /// The mean loss. A label that is no class makes it NaN: check labels where data are read.
    ///
    /// # Shapes
    /// `logits` `[N, C]` and `targets` `[N]`, or `[N, C, spatial..]` and `[N, spatial..]`, class indices of an
    /// integer type; a scalar results.
    ///
    /// # Panics
    /// If the shapes or element types are others.
    #[track_caller]
    pub fn loss(self, logits: &Tensor, targets: &Tensor) -> Tensor {
        let losses = self.each(logits, targets);
        match self.ignore_index {
            None => losses.mean(..),
            Some(index) => {
                let count = targets.to_dtype(DType::I64).ne(index).sum(..);
                losses.sum(..) / count.to_dtype(losses.dtype())
            }
        }
    }

    /// The losses, one after another.
    #[track_caller]
    fn each(self, logits: &Tensor, targets: &Tensor) -> Tensor {
        let (x, t) = (logits.value(), targets.value());
        let fits = x.rank() >= 2 && t.shape()[..] == x.shape().without(&[1])[..];
        assert!(
            fits && x.dtype().is_float() && t.dtype().is_integer(),
            "cross_entropy: logits {} and targets {}: must be floating-point [N, C, spatial..] and \
             class indices [N, spatial..]",
            x.spec(),
            t.spec()
        );
        let channels_last: Vec<usize> = [0].into_iter().chain(2..x.rank()).chain([1]).collect();
        let count = t.shape().num_elements();
        let rows = x.transpose(&channels_last).reshape([count, x.shape()[1]]);
        let labels = t.convert(DType::I64).reshape([count]);
        rows.cross_entropy(&labels, self.label_smoothing, self.ignore_index).into()
    }
}
