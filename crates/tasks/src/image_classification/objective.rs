//! What a classifier makes less.

use std::sync::Arc;

use gyrus_data::{Dataset, Split};
use gyrus_models::ImageModel;
use gyrus_nn::Layer;
use gyrus_nn::losses::CrossEntropy;
use gyrus_tensor::{DType, Tensor};
use gyrus_train::trainer::{Objective, ObjectiveFn};

use super::Options;

type Network = Box<dyn ImageModel + Send>;

/// The mean loss of a batch. With targets `t` (one class, the shares of several that were mixed, or any number of
/// classes) and probabilities `p`, by softmax or, of any number of classes, each by a sigmoid:
///
/// ```text
/// loss = - sum w t (1 - p)^focal log p / sum w t
/// ```
///
/// Of any number of classes what is not there counts too, with `1 - t` and `1 - p` in place of `t` and `p`.
///
/// # Source
/// Lin et al., Focal Loss for Dense Object Detection (2017), equation 4; weights as in PyTorch's `CrossEntropyLoss`.
pub fn objective(options: &Options, dataset: &Dataset) -> ObjectiveFn<Network, (Tensor, Tensor)> {
    let options = options.clone();
    let weights = (options.class_weights == "balanced").then(|| class_weights(dataset));
    Arc::new(move |model: &Network, (images, targets): &(Tensor, Tensor), context| {
        let logits = model.forward(images, context);
        if options.multi_label {
            let is_right = logits.ge(0.0).eq(targets.ge(0.5)).to_dtype(DType::F32).mean(-1);
            let loss = of_any_number(&logits, targets, &options, weights.as_deref());
            return Objective { loss, metrics: vec![is_right.sum(..)] };
        }
        let is_one_class = targets.rank() == 1;
        let labels = if is_one_class { targets.clone() } else { targets.argmax(-1) };
        let is_right = logits.argmax(-1).eq(&labels).to_dtype(DType::F32);
        let loss = match is_one_class && options.focal == 0.0 && weights.is_none() {
            true => CrossEntropy::default().label_smoothing(options.label_smoothing).loss(&logits, targets),
            false => of_shares(&logits, targets, &options, weights.as_deref()),
        };
        Objective { loss, metrics: vec![is_right.sum(..)] }
    })
}

fn of_shares(logits: &Tensor, targets: &Tensor, options: &Options, weights: Option<&[f64]>) -> Tensor {
    let num_classes = logits.shape()[1];
    let targets = match targets.rank() {
        1 => targets.one_hot(num_classes, DType::F32),
        _ => targets.clone(),
    };
    let smoothed = targets * (1.0 - options.label_smoothing) + options.label_smoothing / num_classes as f64;
    let weighted = match weights {
        Some(weights) => smoothed * row(weights),
        None => smoothed,
    };
    let log_p = logits.log_softmax(-1);
    let losses = -&weighted * &log_p * focus(&log_p, options.focal);
    losses.sum(..) / weighted.sum(..)
}

fn of_any_number(logits: &Tensor, targets: &Tensor, options: &Options, weights: Option<&[f64]>) -> Tensor {
    let (there, absent) = (logits.log_sigmoid(), (-logits).log_sigmoid());
    let targets = targets * (1.0 - options.label_smoothing) + 0.5 * options.label_smoothing;
    let mut present = -&targets * &there * focus(&there, options.focal);
    if let Some(weights) = weights {
        present *= row(weights);
    }
    (present - (1.0 - targets) * &absent * focus(&absent, options.focal)).mean(..)
}

/// `(1 - p)^gamma`, of the logarithm of `p`.
fn focus(log_p: &Tensor, gamma: f64) -> Tensor {
    if gamma == 0.0 { log_p.ones_like() } else { (1.0 - log_p.exp()).pow(gamma) }
}

fn row(weights: &[f64]) -> Tensor {
    let weights: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
    Tensor::from_slice([1, weights.len()], &weights)
}

/// For each class the mean number of training images of a class, divided by its own: 1 everywhere if all have as many.
/// A class without images has the weight of one that has one.
///
/// # Source
/// `class_weight="balanced"` of scikit-learn: King and Zeng, Logistic Regression in Rare Events Data (2001).
pub fn class_weights(dataset: &Dataset) -> Vec<f64> {
    let mut counts = vec![0usize; dataset.classes().len()];
    for &index in dataset.indices(Split::Train) {
        dataset.target(index).classes().into_iter().for_each(|class| counts[class] += 1);
    }
    let mean = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
    counts.into_iter().map(|count| mean / count.max(1) as f64).collect()
}
