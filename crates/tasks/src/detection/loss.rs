//! What training makes small.

use gyrus_data::Batch;
use gyrus_models::{Detector, DetectorOutputs};
use gyrus_nn::losses::{complete_box_iou_loss, quality_focal_loss};
use gyrus_tensor::{DType, Tensor};

use super::assignment::{Assignment, ObjectTensors, TaskAligned};
use crate::vision::assign;

/// How much classes and boxes weigh in the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectionLoss {
    /// The weight of the classes' loss.
    pub class_weight: f64,
    /// The weight of the boxes' loss.
    pub box_weight: f64,
}

/// The losses of a batch, scalars, and what they were measured against.
pub struct DetectionLosses {
    /// The cross-entropy of each class at each place with the score that it should have.
    pub class: Tensor,
    /// [`complete_box_iou_loss`] of the places that have an object, weighed by that score.
    pub bounds: Tensor,
    /// What the detector should have said.
    pub assignment: Assignment,
}

impl DetectionLoss {
    /// The losses of what a detector says of images.
    pub fn losses(
        &self,
        network: &Detector,
        outputs: &DetectorOutputs,
        images: &Tensor,
        objects: &ObjectTensors,
    ) -> DetectionLosses {
        let DetectorOutputs { boxes, logits, .. } = outputs;
        let places = network.places([images.shape()[2], images.shape()[3]]);
        let assignment = TaskAligned::default().assign(boxes, &logits.sigmoid(), &places, objects);
        let total = assignment.weights.sum(..).all_reduce_mean().maximum(1.0);
        let is_learnt = (!&assignment.is_ignored).to_dtype(DType::F32).unsqueeze(-1);
        let class = (quality_focal_loss(logits, &assignment.scores, 0.0) * is_learnt).sum(..) / &total;
        let bounds = complete_box_iou_loss(boxes, &assignment.boxes) * &assignment.weights;
        let bounds = bounds.sum(..) / &total;
        DetectionLosses { class: class * self.class_weight, bounds: bounds * self.box_weight, assignment }
    }
}

/// The objects of a batch as tensors, in place where they fit.
pub fn fill_objects(batch: &Batch, tensors: &mut ObjectTensors) {
    let most = (0..batch.len()).map(|place| batch.objects_of(place).len()).max().unwrap_or(0);
    let (num_images, room) = (batch.len(), most.next_power_of_two().max(8));
    let count = num_images * room;
    let (mut boxes, mut classes) = (vec![0.0f32; 4 * count], vec![0i64; count]);
    let (mut is_wanted, mut is_ignored) = (vec![false; count], vec![false; count]);
    for image in 0..num_images {
        for (index, object) in batch.objects_of(image).iter().enumerate() {
            let at = image * room + index;
            let bounds = object.bounds;
            let sides = [bounds.left, bounds.top, bounds.right, bounds.bottom];
            boxes[4 * at..][..4].copy_from_slice(&sides.map(|side| side as f32));
            classes[at] = object.class as i64;
            is_ignored[at] = object.is_crowd || object.is_difficult;
            is_wanted[at] = !is_ignored[at];
        }
    }
    let shape = [num_images, room];
    assign(&mut tensors.boxes, &[num_images, room, 4], &boxes);
    assign(&mut tensors.classes, &shape, &classes);
    assign(&mut tensors.is_wanted, &shape, &is_wanted);
    assign(&mut tensors.is_ignored, &shape, &is_ignored);
}
