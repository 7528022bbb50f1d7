//! Which place of a detector is to find which object.

use gyrus_models::Places;
use gyrus_nn::losses::box_iou;
use gyrus_nn::{Module, stop_gradient};
use gyrus_tensor::{DType, Tensor};

/// The objects of a batch, filled up to the same number `M` for each image.
#[derive(Clone, Module)]
pub struct ObjectTensors {
    /// `f32[N, M, 4]`: left, top, right and bottom in pixels of the frame.
    pub boxes: Tensor,
    /// `i64[N, M]`.
    pub classes: Tensor,
    /// `bool[N, M]`: whether it is to be found.
    pub is_wanted: Tensor,
    /// `bool[N, M]`: whether it is there, but nothing is to be learnt where it is, as of crowds and of what is difficult.
    pub is_ignored: Tensor,
}

/// What a detector should have said.
pub struct Assignment {
    /// `f32[N, A, classes]`: how well the place finds an object of the class, from 0 to 1.
    pub scores: Tensor,
    /// `f32[N, A, 4]`: the box of the place's object; of a place without one, what was predicted.
    pub boxes: Tensor,
    /// `f32[N, A]`: the score of the place's object; 0 of a place without one.
    pub weights: Tensor,
    /// `i64[N, A]`: the number of the place's object among those of its image; any of a place without one.
    pub objects: Tensor,
    /// `bool[N, A]`: whether nothing is to be learnt of the place.
    pub is_ignored: Tensor,
}

/// Gives each object the places that find it best by now: of those whose middle lies in its box the `top_k` greatest by
/// `alignment = score^alpha IoU^beta`, where `score` is the predicted probability of the object's class. A place that
/// several objects want goes to the one with the greatest overlap.
///
/// The score that a place should have is its alignment, scaled so that the greatest of its object is the greatest overlap
/// of its object.
///
/// # Source
/// Feng et al., TOOD: Task-aligned One-stage Object Detection (2021), section 3.2. Deviation: a box that is smaller than
/// two places of the finest map a side counts as that large where places are sought, so that no object is without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskAligned {
    /// The most places of an object.
    pub top_k: usize,
    /// The weight of the score.
    pub alpha: f64,
    /// The weight of the overlap.
    pub beta: f64,
}

impl Default for TaskAligned {
    /// Of ten places, with weights 0.5 and 6.
    fn default() -> Self {
        TaskAligned { top_k: 10, alpha: 0.5, beta: 6.0 }
    }
}

impl TaskAligned {
    /// Assigns objects to places by what was predicted, through which no gradient flows.
    ///
    /// # Shapes
    /// `boxes` `[N, A, 4]` in pixels, `probabilities` `[N, A, classes]`.
    pub fn assign(
        &self,
        boxes: &Tensor,
        probabilities: &Tensor,
        places: &Places,
        objects: &ObjectTensors,
    ) -> Assignment {
        let (boxes, probabilities) = (stop_gradient(boxes), stop_gradient(probabilities));
        let (num_places, num_classes) = (probabilities.shape()[1], probabilities.shape()[2]);
        let num_objects = objects.classes.shape()[1];
        let classes = objects.classes.one_hot(num_classes, DType::F32);

        // All `[N, M, A]`.
        let overlap = box_iou(&objects.boxes.unsqueeze(2), &boxes.unsqueeze(1));
        let score = classes.matmul(&probabilities.t());
        let finest = places.strides.iter().copied().fold(f32::INFINITY, f32::min);
        let is_near = contains(&objects.boxes, finest.into(), places) & objects.is_wanted.unsqueeze(-1);
        let alignment = is_near.select(score.powf(self.alpha) * overlap.powf(self.beta), 0.0);
        let top_k = self.top_k.min(num_places);
        let least = alignment.top_k(top_k, -1).0.narrow(-1, -1..);
        let is_candidate = alignment.ge(least) & alignment.gt(0.0);

        let objects_of_places = is_candidate.select(&overlap, -1.0).argmax(1);
        let numbers = Tensor::arange(num_objects, DType::I64).reshape([1, num_objects, 1]);
        let is_assigned = is_candidate & objects_of_places.unsqueeze(1).eq(numbers);
        let alignment = is_assigned.select(alignment, 0.0);
        let greatest = |x: &Tensor| x.max(-1).unsqueeze(-1);
        let scale = greatest(&is_assigned.select(overlap, 0.0)) / greatest(&alignment).maximum(f32::MIN_POSITIVE);
        let quality = alignment * scale;

        let weights = quality.sum(1);
        let assigned_boxes = is_assigned.to_dtype(DType::F32).t().matmul(&objects.boxes);
        let is_positive = is_assigned.any(1);
        let is_ignored = (contains(&objects.boxes, 0.0, places) & objects.is_ignored.unsqueeze(-1)).any(1);
        Assignment {
            scores: quality.t().matmul(&classes),
            boxes: is_positive.unsqueeze(-1).select(assigned_boxes, boxes),
            weights,
            objects: objects_of_places,
            is_ignored: is_ignored & !is_positive,
        }
    }
}

/// Whether the middle of a place lies in a box, or within `least` pixels of its middle along both axes: `bool[N, M, A]`.
fn contains(boxes: &Tensor, least: f64, places: &Places) -> Tensor {
    let within = |axis: usize| {
        let coordinates: Vec<f32> = places.centers.iter().map(|center| center[axis]).collect();
        let places = Tensor::from_slice([1, 1, coordinates.len()], &coordinates);
        let [start, end] = [axis, axis + 2].map(|side| boxes.index_axis(-1, side as isize).unsqueeze(-1));
        let (middle, half) = ((&start + &end) / 2.0, ((end - start) / 2.0).maximum(least));
        (places - middle).abs().lt(half)
    };
    within(0) & within(1)
}
