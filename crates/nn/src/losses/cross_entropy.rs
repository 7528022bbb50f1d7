//! The cross-entropy with class labels.

use gyrus_graph::Value;
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    label_smoothing: f64,
    ignore_index: Option<i64>,
    class_weights: Option<Vec<f64>>,
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

    /// How much the samples of each class count; the mean is the weighted one, `sum of w[t] loss / sum of w[t]`. With
    /// smoothing, the share of the target that goes to a class is weighted by that class, as PyTorch does.
    pub fn class_weights(self, class_weights: Vec<f64>) -> Self {
        CrossEntropy { class_weights: Some(class_weights), ..self }
    }

    /// The mean loss. A label that is no class makes it NaN: check labels where data are read.
    ///
    /// # Shapes
    /// `logits` `[N, C]` and `targets` `[N]`, or `[N, C, spatial..]` and `[N, spatial..]`, class indices of an
    /// integer type; a scalar results.
    ///
    /// # Panics
    /// If the shapes or element types are others, or weights are not as many as classes.
    #[track_caller]
    pub fn loss(&self, logits: &Tensor, targets: &Tensor) -> Tensor {
        let labels = labels(logits, targets);
        if let Some(weights) = &self.class_weights {
            return self.weighted(logits, &labels, weights);
        }
        let losses: Tensor =
            logits.value().cross_entropy(labels.value(), self.label_smoothing, self.ignore_index).into();
        match self.ignore_index {
            None => losses.mean(..),
            Some(index) => losses.sum(..) / labels.ne(index).sum(..).to_dtype(losses.dtype()),
        }
    }

    /// The weighted mean loss.
    #[track_caller]
    fn weighted(&self, logits: &Tensor, labels: &Tensor, weights: &[f64]) -> Tensor {
        let (num_classes, dtype) = (logits.shape()[1], logits.dtype());
        assert!(
            weights.len() == num_classes,
            "cross_entropy: {} class weights for logits of {num_classes} classes: must be one a class",
            weights.len()
        );
        let weights = Tensor::from_slice([num_classes], weights).to_dtype(dtype);
        let mut of_label = weights.take(0, labels);
        let losses: Tensor = logits.value().cross_entropy(labels.value(), 0.0, self.ignore_index).into();
        let counts = self.ignore_index.map(|index| labels.ne(index).to_dtype(dtype));
        if let Some(counts) = &counts {
            of_label *= counts;
        }
        let total = of_label.sum(..);
        let mut loss = (losses * &of_label).sum(..);
        if self.label_smoothing != 0.0 {
            let mut of_classes = vec![1; logits.rank()];
            of_classes[1] = num_classes;
            let mut of_all = -(logits.log_softmax(1) * weights.reshape(of_classes)).sum(1);
            if let Some(counts) = &counts {
                of_all *= counts;
            }
            let share = self.label_smoothing / num_classes as f64;
            loss = loss * (1.0 - self.label_smoothing) + of_all.sum(..) * share;
        }
        loss / total
    }
}

/// The labels as the operation wants them.
#[track_caller]
fn labels(logits: &Tensor, targets: &Tensor) -> Tensor {
    let (x, t): (&Value, &Value) = (logits.value(), targets.value());
    let fits = x.rank() >= 2 && t.shape()[..] == x.shape().without(&[1])[..];
    assert!(
        fits && x.dtype().is_float() && t.dtype().is_integer(),
        "cross_entropy: logits {} and targets {}: must be floating-point [N, C, spatial..] and \
         class indices [N, spatial..]",
        x.spec(),
        t.spec()
    );
    t.convert(DType::I64).into()
}
