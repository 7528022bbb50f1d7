//! Classification with localization: the class of the one object on each image, and the box around it.

mod tally;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use gyrus_data::{Batch, Dataset, Geometry, TargetKind};
use gyrus_geometry::{Region, Xyxy};
use gyrus_models::Localizer;
use gyrus_nn::losses::{CrossEntropy, generalised_box_iou_loss};
use gyrus_nn::{Context, Module};
use gyrus_tensor::{DType, Rng, Tensor};
use gyrus_train::trainer::{Objective, ObjectiveFn};
use serde::{Deserialize, Serialize};

use self::tally::LocalizationTally;
use crate::TaskError;
use crate::vision::measure::Tally;
use crate::vision::{Answer, CheckedData, Found, Merge, ObjectData, Settings, View, VisionTask, assign, best};

/// The task.
pub struct Localization;

/// What only this task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// How much of each target class is spread over all classes.
    pub label_smoothing: f64,
    /// The weight of the box's losses beside that of the class.
    pub box_weight: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options { label_smoothing: 0.1, box_weight: 1.0 }
    }
}

type Description = crate::vision::Description<Options>;

/// A batch.
#[derive(Clone, Default, Module)]
pub struct Tensors {
    /// `f32[N, C, H, W]`.
    images: Tensor,
    /// `i64[N]`; 0 of an image without an object.
    classes: Tensor,
    /// `f32[N, 4]`, in pixels of the frame.
    boxes: Tensor,
    /// `f32[N]`: 1, or 0 of an image of which no object is left after augmentation.
    weights: Tensor,
}

/// The label of an image without an object.
const NOTHING: i64 = -1;

impl VisionTask for Localization {
    const NAME: &'static str = "localization";
    const SUMMARY: &'static str = "the class of the one object on each image, and the box around it";
    const KINDS: &'static [TargetKind] = &[TargetKind::Objects];
    const METRICS: &'static [&'static str] = &["class_accuracy"];
    const MONITOR: &'static str = "localization_accuracy";
    const STRIDE: usize = 32;

    type Options = Options;
    type Network = Localizer;
    type Tensors = Tensors;

    fn suits(dataset: &Dataset) -> bool {
        ObjectData::of(dataset) == ObjectData::Single
    }

    fn defaults() -> Settings {
        Settings {
            epochs: 40,
            batch: 32,
            lr: 1e-3,
            warmup: 1.0,
            weight_decay: 0.05,
            clip_norm: 5.0,
            baseline: false,
            augment: "affine(translate=0.1, scale=0.7..1.3), flip, jitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.02)"
                .into(),
            ..Settings::default()
        }
    }

    fn suited_model(_: &Settings, _: &CheckedData) -> String {
        "resnet18".into()
    }

    fn build(description: &Description, rng: &mut Rng) -> Result<Localizer, TaskError> {
        let preprocess = &description.preprocess;
        Localizer::new(&description.model, preprocess.channels, description.classes.len(), preprocess.size, rng)
            .map_err(|error| TaskError::Usage(error.to_string()))
    }

    fn fill(_: &Description, batch: &Batch, tensors: &mut Tensors) {
        let (mut known, mut places, mut there) = (vec![], vec![], vec![]);
        for place in 0..batch.len() {
            // Of several the largest is meant.
            let objects = batch.objects_of(place).iter();
            let object = objects.max_by(|a, b| a.bounds.area().total_cmp(&b.bounds.area()));
            let bounds = object.map_or(Xyxy::new(0.0, 0.0, 1.0, 1.0), |object| object.bounds);
            known.push(object.map_or(NOTHING, |object| object.class as i64));
            places.extend([bounds.left, bounds.top, bounds.right, bounds.bottom].map(|edge| edge as f32));
            there.push(if object.is_some() { 1.0f32 } else { 0.0 });
        }
        assign(&mut tensors.images, &batch.shape, &batch.images);
        assign(&mut tensors.classes, &[batch.len()], &known);
        assign(&mut tensors.boxes, &[batch.len(), 4], &places);
        assign(&mut tensors.weights, &[batch.len()], &there);
    }

    /// Cross-entropy, and of the box the distance of its edges as a share of the frame's sides, five times, and the loss
    /// of its generalised overlap, twice: Carion et al., End-to-End Object Detection (2020), section 3.1.
    fn objective(description: &Description, _: &Dataset) -> ObjectiveFn<Localizer, Tensors> {
        let Options { label_smoothing, box_weight } = description.options;
        let [height, width] = description.preprocess.size.map(|side| side as f32);
        let cross_entropy = CrossEntropy::default().label_smoothing(label_smoothing).ignore_index(NOTHING);
        Arc::new(move |network, Tensors { images, classes, boxes, weights }, context| {
            let (logits, found) = network.localize(images, context);
            let sides = Tensor::from_slice([1, 4], &[width, height, width, height]);
            let distance = ((&found - boxes).abs() / sides).sum(-1);
            let overlap = generalised_box_iou_loss(&found, boxes);
            let count = weights.sum(..).maximum(1.0);
            let of_boxes = ((distance * 5.0 + overlap * 2.0) * weights).sum(..) / count;
            let is_right = logits.argmax(-1).eq(classes).to_dtype(DType::F32);
            Objective {
                loss: cross_entropy.loss(&logits, classes) + of_boxes * box_weight,
                metrics: vec![is_right.sum(..)],
            }
        })
    }

    fn look(network: &Localizer, images: &Tensor) -> Option<(Tensor, Tensor)> {
        let (model, context) = (network.backbone(), &mut Context::evaluate());
        let features = model.maps(images, context).pop()?;
        let scores = model.classify(&features, context);
        Some((features, scores))
    }

    fn infer(network: &Localizer, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let (logits, boxes) = network.localize(images, context);
        vec![logits.softmax(-1), boxes]
    }

    fn merge<'a>(description: &'a Description, size: Geometry) -> Box<dyn Merge + 'a> {
        let probabilities = vec![0.0; description.classes.len()];
        Box::new(Mean { probabilities, edges: [0.0; 4], num_views: 0.0, size })
    }

    fn tally(description: &Description) -> Box<dyn Tally> {
        Box::new(LocalizationTally::new(description.classes.clone()))
    }
}

/// The mean of all views.
struct Mean {
    probabilities: Vec<f32>,
    edges: [f64; 4],
    num_views: f64,
    size: Geometry,
}

impl Merge for Mean {
    fn add(&mut self, view: &View) {
        let [probabilities, bounds] = [0, 1].map(|output| view.outputs[output].values);
        self.probabilities.iter_mut().zip(probabilities).for_each(|(sum, probability)| *sum += probability);
        let Some(inverse) = view.projection.inverse() else { return };
        let edges = inverse.map_bounds([0, 1, 2, 3].map(|edge| f64::from(bounds[edge])));
        self.edges.iter_mut().zip(edges).for_each(|(sum, edge)| *sum += edge);
        self.num_views += 1.0;
    }

    fn finish(self: Box<Self>) -> Answer {
        let class = best(&self.probabilities);
        let [left, top, right, bottom] = self.edges.map(|edge| edge / self.num_views);
        let (width, height) = (self.size.width as f64, self.size.height as f64);
        let bounds = Xyxy::new(left.max(0.0), top.max(0.0), right.min(width), bottom.min(height));
        let score = f64::from(self.probabilities[class]) / self.num_views;
        Answer::Objects(vec![Found { class, score, bounds, mask: None }])
    }
}
