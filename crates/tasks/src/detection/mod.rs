//! Object detection: a box and a class for each object of an image.

pub(crate) mod assignment;
pub(crate) mod decoding;
pub(crate) mod loss;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use gyrus_data::{Batch, Dataset, Geometry, TargetKind};
use gyrus_models::{Detector, DetectorConfig, detector};
use gyrus_nn::{Context, Module};
use gyrus_tensor::{Rng, Tensor};
use gyrus_train::trainer::{Objective, ObjectiveFn};
use serde::{Deserialize, Serialize};

use self::assignment::ObjectTensors;
use self::decoding::Decoding;
use self::loss::{DetectionLoss, fill_objects};
use crate::TaskError;
use crate::vision::measure::{ObjectTally, Tally};
use crate::vision::{
    Answer, CheckedData, Found, Merge, ObjectData, Settings, View, VisionTask, assign, greater_than_zero,
};

/// The task.
pub struct Detection;

/// What only this task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The stride of the finest map in pixels of the frame: 8, or 4 for objects of a few pixels.
    pub finest_stride: usize,
    /// The weight of the classes in the loss.
    pub class_weight: f64,
    /// The weight of the boxes in the loss.
    pub box_weight: f64,
    /// What is less probable is not found at all, not even when the model is measured.
    pub least_score: f64,
    /// Of objects of one class whose intersection over union is greater, the most probable stays.
    pub nms_iou: f64,
    /// The most objects of an image.
    pub max_detections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            finest_stride: 8,
            class_weight: 1.0,
            box_weight: 2.0,
            least_score: 0.001,
            nms_iou: 0.6,
            max_detections: 300,
        }
    }
}

impl Options {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`TaskError::Usage`], naming the setting.
    pub(crate) fn validate(&self) -> Result<(), TaskError> {
        let wrong = |reason: String| Err(TaskError::Usage(reason));
        greater_than_zero("class_weight", self.class_weight)?;
        greater_than_zero("box_weight", self.box_weight)?;
        for (key, value) in [("least_score", self.least_score), ("nms_iou", self.nms_iou)] {
            if !(0.0..=1.0).contains(&value) {
                return wrong(format!("{key} = {value}: must be from 0 to 1"));
            }
        }
        if self.max_detections == 0 {
            return wrong("max_detections must be at least 1".into());
        }
        Ok(())
    }

    pub(crate) fn loss(&self) -> DetectionLoss {
        DetectionLoss { class_weight: self.class_weight, box_weight: self.box_weight }
    }

    pub(crate) fn decoding(&self) -> Decoding {
        Decoding { least_score: self.least_score, overlap: self.nms_iou, most: self.max_detections }
    }
}

type Description = crate::vision::Description<Options>;

/// A batch as tensors.
#[derive(Clone, Default, Module)]
pub struct DetectionTensors {
    /// `f32[N, C, H, W]`.
    images: Tensor,
    objects: ObjectTensors,
}

/// The shared settings as detectors want them.
pub(crate) fn defaults() -> Settings {
    Settings {
        epochs: 40,
        batch: 8,
        lr: 2e-3,
        weight_decay: 0.05,
        warmup: 2.0,
        clip_norm: 10.0,
        average: 0.999,
        augment: "affine(scale=0.7..1.3,translate=0.1),flip,jitter".into(),
        ..Settings::default()
    }
}

impl VisionTask for Detection {
    const NAME: &'static str = "detection";
    const SUMMARY: &'static str = "a box and a class for each object of an image";
    const KINDS: &'static [TargetKind] = &[TargetKind::Objects];
    const METRICS: &'static [&'static str] = &["class_loss", "box_loss"];
    const MONITOR: &'static str = "map";
    const STRIDE: usize = 32;
    const LARGEST: usize = 320;

    type Options = Options;
    type Network = Detector;
    type Tensors = DetectionTensors;

    fn suits(dataset: &Dataset) -> bool {
        ObjectData::of(dataset) == ObjectData::Boxed
    }

    fn defaults() -> Settings {
        defaults()
    }

    fn validate(options: &Options) -> Result<(), TaskError> {
        options.validate()
    }

    /// The smallest, which learns some hundred images within minutes.
    fn suited_model(_: &Settings, _: &CheckedData) -> String {
        "detector-nano".into()
    }

    fn build(description: &Description, rng: &mut Rng) -> Result<Detector, TaskError> {
        let preprocess = &description.preprocess;
        let config = DetectorConfig {
            finest_stride: description.options.finest_stride,
            ..DetectorConfig::new(description.classes.len(), preprocess.channels, preprocess.size)
        };
        detector(&description.model, &config, rng).map_err(|error| TaskError::Usage(error.to_string()))
    }

    fn fill(_: &Description, batch: &Batch, tensors: &mut DetectionTensors) {
        assign(&mut tensors.images, &batch.shape, &batch.images);
        fill_objects(batch, &mut tensors.objects);
    }

    fn objective(description: &Description, _: &Dataset) -> ObjectiveFn<Detector, DetectionTensors> {
        let loss = description.options.loss();
        Arc::new(move |network, DetectionTensors { images, objects }, context| {
            let outputs = network.detect(images, context);
            let losses = loss.losses(network, &outputs, images, objects);
            let count = images.shape()[0];
            Objective {
                loss: &losses.class + &losses.bounds,
                metrics: vec![losses.class * count, losses.bounds * count],
            }
        })
    }

    /// Boxes `[N, A, 4]` in pixels of the frame and probabilities `[N, A, classes]`.
    fn infer(network: &Detector, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let outputs = network.detect(images, context);
        vec![outputs.boxes, outputs.logits.sigmoid()]
    }

    /// The score of a class is the sum of its probabilities at all places.
    fn look(network: &Detector, images: &Tensor) -> Option<(Tensor, Tensor)> {
        let outputs = network.detect(images, &mut Context::evaluate());
        Some((outputs.features, outputs.logits.sigmoid().sum(1)))
    }

    fn merge<'a>(description: &'a Description, size: Geometry) -> Box<dyn Merge + 'a> {
        Box::new(Views { decoding: description.options.decoding(), size, found: vec![] })
    }

    fn tally(description: &Description) -> Box<dyn Tally> {
        Box::new(ObjectTally::new(description.classes.clone(), description.options.max_detections, false))
    }
}

/// What all views show, of which the best stays.
struct Views {
    decoding: Decoding,
    size: Geometry,
    found: Vec<(Found, ())>,
}

impl Merge for Views {
    fn add(&mut self, view: &View) {
        let candidates = self.decoding.candidates(view, self.size);
        self.found.extend(candidates.into_iter().map(|(found, _)| (found, ())));
    }

    fn finish(self: Box<Self>) -> Answer {
        Answer::Objects(self.decoding.suppressed(self.found).into_iter().map(|(found, ())| found).collect())
    }
}
