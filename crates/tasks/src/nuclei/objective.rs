//! What the network makes less.

use std::sync::Arc;

use gyrus_data::IGNORED_PIXEL;
use gyrus_nn::Layer;
use gyrus_nn::losses::{CrossEntropy, Dice};
use gyrus_tensor::Tensor;
use gyrus_train::trainer::{Objective, ObjectiveFn};

type Network = Box<dyn Layer + Send>;

/// Cross-entropy and Dice of what pixels belong to, and `distance_weight` times the cross-entropy of the shares of
/// distances `d` with `sigmoid(x)`: `mean of softplus(x) - d x`.
///
/// # Source
/// Schmidt et al., Cell Detection with Star-Convex Polygons (2018), equation 1, for distances learnt as probabilities.
pub fn objective(distance_weight: f64) -> ObjectiveFn<Network, (Tensor, Tensor, Tensor)> {
    Arc::new(move |network: &Network, (images, classes, distances): &(Tensor, Tensor, Tensor), context| {
        let outputs = network.forward(images, context);
        let num_classes = outputs.shape()[1] as isize - 1;
        let logits = outputs.narrow(1, ..num_classes);
        let x = outputs.index_axis(1, num_classes);
        let belonging = CrossEntropy::default().ignore_index(IGNORED_PIXEL).loss(&logits, classes)
            + Dice::default().ignore_index(IGNORED_PIXEL).loss(&logits, classes);
        let distance = (x.softplus() - distances * &x).mean(..);
        Objective { loss: belonging + distance * distance_weight, metrics: vec![] }
    })
}
