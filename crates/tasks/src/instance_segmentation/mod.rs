//! Instance segmentation: the pixels and the class of each object of an image.

mod mask_loss;
mod masks;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::Arc;

use gyrus_data::{Batch, Dataset, Geometry, LoaderConfig, TargetKind};
use gyrus_models::{Detector, DetectorConfig, detector};
use gyrus_nn::{Context, Module};
use gyrus_tensor::{Rng, Tensor};
use gyrus_train::trainer::{Objective, ObjectiveFn};
use serde::{Deserialize, Serialize};

use self::mask_loss::mask_loss;
use self::masks::Prototypes;
use crate::TaskError;
use crate::detection::assignment::ObjectTensors;
use crate::detection::decoding::Decoding;
use crate::detection::loss::fill_objects;
use crate::detection::{self, Detection};
use crate::vision::measure::{ObjectTally, Tally};
use crate::vision::{
    Answer, CheckedData, Found, Merge, ObjectData, Settings, View, VisionTask, assign, greater_than_zero,
};

/// The task: a detector whose objects have masks.
pub struct InstanceSegmentation;

/// What only this task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// What it has in common with detection.
    #[serde(flatten)]
    pub detection: detection::Options,
    /// The weight of the masks in the loss.
    pub mask_weight: f64,
    /// The masks that all objects of an image share, and that are summed for each.
    pub num_prototypes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { detection: detection::Options::default(), mask_weight: 2.0, num_prototypes: 32 }
    }
}

type Description = crate::vision::Description<Options>;

/// A batch as tensors.
#[derive(Clone, Default, Module)]
pub struct SegmentationTensors {
    /// `f32[N, C, H, W]`.
    images: Tensor,
    objects: ObjectTensors,
    /// `i64[N, H, W]`: the number of the object of each pixel, from 1 on; 0 where there is none.
    pixel_labels: Tensor,
}

impl VisionTask for InstanceSegmentation {
    const NAME: &'static str = "instance_segmentation";
    const SUMMARY: &'static str = "the pixels and the class of each object of an image";
    const KINDS: &'static [TargetKind] = &[TargetKind::Objects];
    const METRICS: &'static [&'static str] = &["class_loss", "box_loss", "mask_loss"];
    const MONITOR: &'static str = "mask_map";
    const STRIDE: usize = Detection::STRIDE;
    const LARGEST: usize = Detection::LARGEST;

    type Options = Options;
    type Network = Detector;
    type Tensors = SegmentationTensors;

    fn suits(dataset: &Dataset) -> bool {
        ObjectData::of(dataset) == ObjectData::Outlined
    }

    fn defaults() -> Settings {
        detection::defaults()
    }

    fn validate(options: &Options) -> Result<(), TaskError> {
        options.detection.validate()?;
        greater_than_zero("mask_weight", options.mask_weight)?;
        if options.num_prototypes == 0 {
            return Err(TaskError::Usage("num_prototypes must be at least 1".into()));
        }
        Ok(())
    }

    fn suited_model(settings: &Settings, data: &CheckedData) -> String {
        Detection::suited_model(settings, data)
    }

    fn build(description: &Description, rng: &mut Rng) -> Result<Detector, TaskError> {
        let (preprocess, options) = (&description.preprocess, &description.options);
        let config = DetectorConfig {
            finest_stride: options.detection.finest_stride,
            num_prototypes: options.num_prototypes,
            ..DetectorConfig::new(description.classes.len(), preprocess.channels, preprocess.size)
        };
        detector(&description.model, &config, rng).map_err(|error| TaskError::Usage(error.to_string()))
    }

    fn load(_: &Description, _: &Dataset, config: LoaderConfig) -> LoaderConfig {
        LoaderConfig { object_pixels: true, ..config }
    }

    fn fill(_: &Description, batch: &Batch, tensors: &mut SegmentationTensors) {
        let [count, _, height, width] = batch.shape;
        assign(&mut tensors.images, &batch.shape, &batch.images);
        assign(&mut tensors.pixel_labels, &[count, height, width], &batch.pixel_labels);
        fill_objects(batch, &mut tensors.objects);
    }

    fn objective(description: &Description, _: &Dataset) -> ObjectiveFn<Detector, SegmentationTensors> {
        let (loss, mask_weight) = (description.options.detection.loss(), description.options.mask_weight);
        Arc::new(move |network, SegmentationTensors { images, objects, pixel_labels }, context| {
            let outputs = network.detect(images, context);
            let losses = loss.losses(network, &outputs, images, objects);
            let mask = mask_loss(&outputs, &losses.assignment, objects, pixel_labels) * mask_weight;
            let count = images.shape()[0];
            Objective {
                loss: &losses.class + &losses.bounds + &mask,
                metrics: vec![losses.class * count, losses.bounds * count, mask * count],
            }
        })
    }

    /// Boxes `[N, A, 4]` in pixels of the frame, probabilities `[N, A, classes]`, coefficients `[N, A, K]` and prototypes
    /// `[N, K, h, w]`.
    fn infer(network: &Detector, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        let outputs = network.detect(images, context);
        let all = [Some(outputs.boxes), Some(outputs.logits.sigmoid()), outputs.coefficients, outputs.prototypes];
        all.into_iter().flatten().collect()
    }

    /// As of detection.
    fn look(network: &Detector, images: &Tensor) -> Option<(Tensor, Tensor)> {
        Detection::look(network, images)
    }

    fn merge<'a>(description: &'a Description, size: Geometry) -> Box<dyn Merge + 'a> {
        Box::new(Views {
            decoding: description.options.detection.decoding(),
            frame_height: description.preprocess.size[0],
            size,
            found: vec![],
        })
    }

    fn tally(description: &Description) -> Box<dyn Tally> {
        let most = description.options.detection.max_detections;
        Box::new(ObjectTally::new(description.classes.clone(), most, true))
    }
}

/// What all views show, of which the best stays and gets its mask.
struct Views {
    decoding: Decoding,
    frame_height: usize,
    size: Geometry,
    found: Vec<(Found, Covering)>,
}

/// What an object's mask is made of.
struct Covering {
    prototypes: Rc<Prototypes>,
    coefficients: Vec<f32>,
}

impl Merge for Views {
    fn add(&mut self, view: &View) {
        let prototypes = Rc::new(Prototypes::of(view, self.frame_height));
        let coefficients = &view.outputs[2];
        let count = coefficients.shape[1];
        let covering = |(found, place): (Found, usize)| {
            let coefficients = coefficients.values[place * count..][..count].to_vec();
            (found, Covering { prototypes: prototypes.clone(), coefficients })
        };
        self.found.extend(self.decoding.candidates(view, self.size).into_iter().map(covering));
    }

    fn finish(self: Box<Self>) -> Answer {
        let with_mask = |(found, Covering { prototypes, coefficients }): (Found, Covering)| Found {
            mask: Some(prototypes.mask(&coefficients, &found.bounds, self.size)),
            ..found
        };
        Answer::Objects(self.decoding.suppressed(self.found).into_iter().map(with_mask).collect())
    }
}
