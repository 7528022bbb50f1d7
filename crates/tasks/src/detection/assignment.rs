//! Which place of a detector is to find which object.

use gyrus_models::Places;
use gyrus_nn::losses::box_iou;
use gyrus_nn::{Module, stop_gradient};
use gyrus_tensor::{DType, Tensor};

/// The objects of a batch, filled up to the same number `M` for each image.
#[derive(Clone, Default, Module)]
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
    /// `f32[N, M, A]`: the score of the place for the object; 0 unless it is the place's.
    pub qualities: Tensor,
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
        let qualities = alignment * scale;

        let weights = qualities.sum(1);
        let assigned_boxes = is_assigned.to_dtype(DType::F32).t().matmul(&objects.boxes);
        let is_positive = is_assigned.any(1);
        let is_ignored = (contains(&objects.boxes, 0.0, places) & objects.is_ignored.unsqueeze(-1)).any(1);
        Assignment {
            scores: qualities.t().matmul(&classes),
            boxes: is_positive.unsqueeze(-1).select(assigned_boxes, boxes),
            weights,
            qualities,
            is_ignored: is_ignored & !is_positive,
        }
    }
}

/// Whether the middle of a place lies in a box, or within `least` pixels of its middle along both axes: `bool[N, M, A]`.
pub fn contains(boxes: &Tensor, least: f64, places: &Places) -> Tensor {
    let within = |axis: usize| {
        let coordinates: Vec<f32> = places.centers.iter().map(|center| center[axis]).collect();
        let places = Tensor::from_slice([1, 1, coordinates.len()], &coordinates);
        let [start, end] = [axis, axis + 2].map(|side| boxes.index_axis(-1, side as isize).unsqueeze(-1));
        let (middle, half) = ((&start + &end) / 2.0, ((end - start) / 2.0).maximum(least));
        (places - middle).abs().lt(half)
    };
    within(0) & within(1)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
    }

    fn places(golden: &Value) -> Places {
        let mut places = Places { centers: vec![], strides: vec![] };
        let [height, width] = [0, 1].map(|axis| golden["size"][axis].as_f64().unwrap() as f32);
        for stride in numbers(&golden["strides"]) {
            for row in 0..(height / stride) as usize {
                for column in 0..(width / stride) as usize {
                    places.centers.push([(column as f32 + 0.5) * stride, (row as f32 + 0.5) * stride]);
                    places.strides.push(stride);
                }
            }
        }
        places
    }

    /// All objects of a case, with one image after another, filled up to eight.
    fn objects(images: &[Value]) -> ObjectTensors {
        let (count, room) = (images.len(), 8);
        let (mut boxes, mut classes) = (vec![0.0f32; 4 * count * room], vec![0i64; count * room]);
        let (mut is_wanted, mut is_ignored) = (vec![false; count * room], vec![false; count * room]);
        for (image, golden) in images.iter().enumerate() {
            for (index, object) in golden["objects"].as_array().unwrap().iter().enumerate() {
                let at = image * room + index;
                boxes[4 * at..][..4].copy_from_slice(&numbers(&object["box"]));
                classes[at] = object["class"].as_i64().unwrap();
                is_wanted[at] = object["role"] == "wanted";
                is_ignored[at] = object["role"] == "ignored";
            }
        }
        ObjectTensors {
            boxes: Tensor::from_slice([count, room, 4], &boxes),
            classes: Tensor::from_slice([count, room], &classes),
            is_wanted: Tensor::from_slice([count, room], &is_wanted),
            is_ignored: Tensor::from_slice([count, room], &is_ignored),
        }
    }

    /// Against `scripts/goldens/task_aligned.py`: owners, scores, boxes, and what is ignored.
    #[test]
    fn places_are_assigned_as_by_the_reference() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/task_aligned.json")).unwrap();
        let (places, num_classes) = (places(&golden), golden["classes"].as_u64().unwrap() as usize);
        let num_places = places.centers.len();
        let (mut num_owned, mut num_ignored) = (0, 0);
        for case in golden["cases"].as_array().unwrap() {
            let images = case["images"].as_array().unwrap();
            let joined = |name: &str| images.iter().flat_map(|image| numbers(&image[name])).collect::<Vec<f32>>();
            let boxes = Tensor::from_slice([images.len(), num_places, 4], &joined("boxes"));
            let probabilities = Tensor::from_slice([images.len(), num_places, num_classes], &joined("probabilities"));
            let task_aligned =
                TaskAligned { top_k: case["top_k"].as_u64().unwrap() as usize, ..TaskAligned::default() };
            let objects = objects(images);
            let found = task_aligned.assign(&boxes, &probabilities, &places, &objects);

            let scores = found.scores.to_vec::<f32>();
            for (index, (score, expected)) in scores.iter().zip(joined("scores")).enumerate() {
                assert!((score - expected).abs() < 1e-4, "score {index}: {score}, not {expected}");
            }
            let (owners, weights) = (found.qualities.argmax(1).to_vec::<i64>(), found.weights.to_vec::<f32>());
            let (bounds, truths) = (found.boxes.to_vec::<f32>(), objects.boxes.to_vec::<f32>());
            let is_ignored = found.is_ignored.to_vec::<bool>();
            for (image, golden) in images.iter().enumerate() {
                for (place, owner) in golden["owner"].as_array().unwrap().iter().enumerate() {
                    let (at, owner) = (image * num_places + place, owner.as_i64().unwrap());
                    assert_eq!(weights[at] > 0.0, owner >= 0, "image {image}, place {place}");
                    assert_eq!(is_ignored[at], golden["ignored"][place].as_bool().unwrap());
                    num_ignored += usize::from(is_ignored[at]);
                    if owner >= 0 {
                        num_owned += 1;
                        assert_eq!(owners[at], owner, "image {image}, place {place}");
                        let truth = &truths[4 * (image * 8 + owner as usize)..][..4];
                        assert_eq!(&bounds[4 * at..][..4], truth, "image {image}, place {place}");
                    }
                }
            }
        }
        assert!(num_owned > 40 && num_ignored > 5, "{num_owned} and {num_ignored}: the cases must show something");
    }

    /// An image without objects is learnt from too: nothing is there.
    #[test]
    fn no_objects_are_no_places() {
        let places = Places { centers: vec![[4.0, 4.0], [12.0, 4.0]], strides: vec![8.0, 8.0] };
        let nothing = objects(&[serde_json::json!({"objects": []})]);
        let boxes = Tensor::from_slice([1, 2, 4], &[0.0f32, 0.0, 8.0, 8.0, 8.0, 0.0, 16.0, 8.0]);
        let probabilities = Tensor::from_slice([1, 2, 1], &[0.5f32, 0.5]);
        let found = TaskAligned::default().assign(&boxes, &probabilities, &places, &nothing);
        assert_eq!(found.scores.to_vec::<f32>(), [0.0, 0.0]);
        assert_eq!(found.boxes.to_vec::<f32>(), boxes.to_vec::<f32>());
        assert_eq!(found.is_ignored.to_vec::<bool>(), [false, false]);
    }
}
