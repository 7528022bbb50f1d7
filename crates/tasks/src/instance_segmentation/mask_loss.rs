//! How far the masks of a detector are from those of the objects.

use gyrus_models::{DetectorOutputs, Places};
use gyrus_nn::losses::quality_focal_loss;
use gyrus_tensor::{DType, Tensor};

use crate::detection::assignment::{Assignment, ObjectTensors, contains};

/// The most places of an object whose masks are compared: all that an object has would be too many.
const PLACES: usize = 3;

/// The cross-entropy of mask and object over the pixels of the object's box, divided by their number; the mean over the
/// places that find objects best, weighed by how well they do. Objects of which no pixel is known do not count.
///
/// # Shapes
/// `pixel_labels` `i64[N, H, W]`, the number of the object from 1 on; a scalar results.
///
/// # Source
/// Bolya et al., YOLACT (2019), section 3.2; within the box and by its area as in section 3.3.
pub fn mask_loss(
    outputs: &DetectorOutputs,
    assignment: &Assignment,
    objects: &ObjectTensors,
    pixel_labels: &Tensor,
) -> Tensor {
    let [Some(coefficients), Some(prototypes)] = [&outputs.coefficients, &outputs.prototypes] else {
        panic!("mask_loss: the detector has no masks")
    };
    let [num_images, num_prototypes, height, width] = [0, 1, 2, 3].map(|axis| prototypes.shape()[axis]);
    let (num_objects, num_pixels) = (objects.classes.shape()[1], height * width);
    let step = pixel_labels.shape()[1] / height;

    // The best places of each object, `[N, M, K]`, and their masks `[N, M, K, pixels]`.
    let num_places = PLACES.min(coefficients.shape()[1]);
    let (weights, places) = assignment.qualities.top_k(num_places, -1);
    let places = places.reshape([num_images, num_objects * num_places, 1]);
    let places = places.broadcast_to([num_images, num_objects * num_places, num_prototypes]);
    let masks = coefficients.take_along_axis(1, &places).matmul(&prototypes.flatten(2, 3));
    let masks = masks.reshape([num_images, num_objects, num_places, num_pixels]);

    // Of the pixels that become one of the prototypes, the one in the middle; `[N, M, 1, pixels]` below.
    let labels = middles(pixel_labels, step).reshape([num_images, 1, num_pixels]);
    let numbers = Tensor::range(1.0, num_objects as f64 + 1.0, 1.0, DType::I64).reshape([1, num_objects, 1]);
    let truth = labels.eq(numbers);
    let is_inside = contains(&objects.boxes, 0.0, &pixels([height, width], step)).to_dtype(DType::F32).unsqueeze(2);
    let is_known = truth.any(-1).to_dtype(DType::F32).unsqueeze(-1);
    let truth = truth.to_dtype(DType::F32).unsqueeze(2).broadcast_to(masks.shape());

    let losses = (quality_focal_loss(&masks, &truth, 0.0) * &is_inside).sum(-1) / is_inside.sum(-1).maximum(1.0);
    let weights = weights * is_known;
    let total = weights.sum(..).all_reduce_mean().maximum(1.0);
    (losses * weights).sum(..) / total
}

/// Every so-many-th pixel of `[N, H, W]` along both axes, from the middle of the first of them on.
fn middles(labels: &Tensor, step: usize) -> Tensor {
    let [num_images, height, width] = [0, 1, 2].map(|axis| labels.shape()[axis]);
    let blocks = labels.reshape([num_images, height / step, step, width / step, step]);
    blocks.index_axis(4, (step / 2) as isize).index_axis(2, (step / 2) as isize)
}

/// The middles of the pixels of a prototype, in pixels of the frame.
fn pixels([height, width]: [usize; 2], step: usize) -> Places {
    let middle = |index: usize| (index as f32 + 0.5) * step as f32;
    let centers: Vec<[f32; 2]> = (0..height).flat_map(|y| (0..width).map(move |x| [middle(x), middle(y)])).collect();
    Places { strides: vec![step as f32; centers.len()], centers }
}
