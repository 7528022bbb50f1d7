//! What semantic segmentation makes less.

use std::sync::Arc;

use gyrus_data::{Dataset, IGNORED_PIXEL, Split};
use gyrus_nn::Layer;
use gyrus_nn::losses::{CrossEntropy, Dice};
use gyrus_tensor::{DType, Tensor};
use gyrus_train::trainer::{Objective, ObjectiveFn};

use super::Options;

type Network = Box<dyn Layer + Send>;

/// `cross_entropy * CE + dice * Dice`, both over the pixels that are not ignored; 0 for a batch without any.
pub fn objective(options: &Options, is_ignored: &[bool], dataset: &Dataset) -> ObjectiveFn<Network, (Tensor, Tensor)> {
    let &Options { cross_entropy: share, dice: dice_share, .. } = options;
    let mut cross_entropy = CrossEntropy::default().ignore_index(IGNORED_PIXEL);
    if options.class_weights == "balanced" {
        cross_entropy = cross_entropy.class_weights(class_weights(dataset, is_ignored));
    }
    let dice = Dice::default().ignore_index(IGNORED_PIXEL);
    Arc::new(move |network: &Network, (images, targets): &(Tensor, Tensor), context| {
        let logits = network.forward(images, context);
        let mut losses = vec![];
        if share > 0.0 {
            let is_any = targets.ne(IGNORED_PIXEL).to_dtype(DType::F32).max(..).gt(0.0);
            let loss = cross_entropy.loss(&logits, targets);
            losses.push(is_any.select(&loss, loss.zeros_like()) * share);
        }
        if dice_share > 0.0 {
            losses.push(dice.loss(&logits, targets) * dice_share);
        }
        let loss = losses.into_iter().reduce(|all, loss| all + loss).expect("one of them is learnt from");
        Objective { loss, metrics: vec![] }
    })
}

/// For each class the mean number of training pixels of a class, divided by its own: 1 everywhere if all have as many. A
/// class without pixels, or that is ignored, has weight 1. Masks that cannot be read do not count: the gate reports them.
fn class_weights(dataset: &Dataset, is_ignored: &[bool]) -> Vec<f64> {
    let mut counts = vec![0u64; is_ignored.len()];
    for &index in dataset.indices(Split::Train) {
        let labels = dataset.pixel_labels(index).map_or(vec![], |map| map.labels);
        for label in labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += u64::from(!is_ignored[label as usize]);
            }
        }
    }
    let num_classes = counts.iter().filter(|&&count| count > 0).count();
    let mean = counts.iter().sum::<u64>() as f64 / num_classes.max(1) as f64;
    counts.into_iter().map(|count| if count > 0 { mean / count as f64 } else { 1.0 }).collect()
}
