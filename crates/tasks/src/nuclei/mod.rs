//! Objects that touch, told apart by how far pixels are from their borders: nuclei, cells, grains, by the thousand.
//!
//! A network says of each pixel what it belongs to, and how far it is from the border of its object as a share of the
//! furthest in that object. Where that share is high the middles of objects are, one region each; from these a watershed
//! grows over all that belongs to objects, and stops where two of them meet.

mod objective;
mod objects;
mod tally;
mod targets;
#[cfg(test)]
mod tests;

use gyrus_data::{Batch, Dataset, Geometry, LoaderConfig, TargetKind};
use gyrus_models::segmentation::segmentation;
use gyrus_nn::{Context, Layer};
use gyrus_tensor::{Rng, Tensor};
use gyrus_train::trainer::ObjectiveFn;
use serde::{Deserialize, Serialize};

use crate::TaskError;
use crate::vision::measure::Tally;
use crate::vision::{CheckedData, Merge, ObjectData, Settings, VisionTask, greater_than_zero};

/// The task.
pub struct Nuclei;

/// What only this task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The weight of the distances in the loss, beside that of what pixels belong to.
    pub distance_weight: f64,
    /// From this probability on a pixel belongs to an object.
    pub least_probability: f64,
    /// From this share of the furthest distance on a pixel is of the middle of its object.
    pub least_distance: f64,
    /// Objects of fewer pixels are left out.
    pub smallest: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { distance_weight: 3.0, least_probability: 0.5, least_distance: 0.5, smallest: 10 }
    }
}

type Description = crate::vision::Description<Options>;

impl VisionTask for Nuclei {
    const NAME: &'static str = "nuclei";
    const SUMMARY: &'static str = "objects that touch, each with its pixels: nuclei, cells, grains";
    const KINDS: &'static [TargetKind] = &[TargetKind::Objects];
    const METRICS: &'static [&'static str] = &[];
    const MONITOR: &'static str = "mask_map";
    const STRIDE: usize = 16;

    type Options = Options;
    type Network = Box<dyn Layer + Send>;
    /// Images `f32[N, C, H, W]`, what their pixels belong to `i64[N, H, W]`, and their distances `f32[N, H, W]`.
    type Tensors = (Tensor, Tensor, Tensor);

    fn suits(dataset: &Dataset) -> bool {
        ObjectData::of(dataset) == ObjectData::Numbered
    }

    fn defaults() -> Settings {
        Settings {
            image_size: 128,
            resize: "window".into(),
            epochs: 80,
            batch: 8,
            lr: 3e-3,
            warmup: 1.0,
            augment: "affine(rotate=180,scale=0.8..1.25),flip,jitter(brightness=0.2,contrast=0.2)".into(),
            ..Settings::default()
        }
    }

    fn validate(options: &Options) -> Result<(), TaskError> {
        for (key, value) in
            [("least_probability", options.least_probability), ("least_distance", options.least_distance)]
        {
            if !(value > 0.0 && value < 1.0) {
                return Err(TaskError::Usage(format!("{key} = {value}: must be between 0 and 1")));
            }
        }
        greater_than_zero("distance_weight", options.distance_weight)
    }

    /// Things that look alike take little to be known.
    fn suited_model(_settings: &Settings, _data: &CheckedData) -> String {
        "unet-tiny".into()
    }

    fn build(description: &Description, rng: &mut Rng) -> Result<Self::Network, TaskError> {
        let preprocess = &description.preprocess;
        // The background comes before the classes, the distance behind them.
        let out_channels = description.classes.len() + 2;
        segmentation(&description.model, preprocess.channels, out_channels, preprocess.size, rng)
            .map_err(|error| TaskError::Usage(error.to_string()))
    }

    fn load(_description: &Description, _dataset: &Dataset, config: LoaderConfig) -> LoaderConfig {
        LoaderConfig { object_pixels: true, ..config }
    }

    fn fill(_description: &Description, batch: &Batch, tensors: &mut Self::Tensors) {
        targets::fill(batch, tensors);
    }

    fn objective(description: &Description, _dataset: &Dataset) -> ObjectiveFn<Self::Network, Self::Tensors> {
        objective::objective(description.options.distance_weight)
    }

    fn infer(network: &Self::Network, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        vec![network.forward(images, context)]
    }

    /// The score of a class is the sum of its probabilities at all pixels; the last map of features are the logits.
    fn look(network: &Self::Network, images: &Tensor) -> Option<(Tensor, Tensor)> {
        let outputs = network.forward(images, &mut Context::evaluate());
        let num_classes = outputs.shape()[1] as isize - 2;
        let logits = outputs.narrow(1, ..=num_classes);
        let scores = logits.softmax(1).sum([2, 3]).narrow(1, 1..);
        Some((logits, scores))
    }

    fn merge<'a>(description: &'a Description, size: Geometry) -> Box<dyn Merge + 'a> {
        Box::new(objects::Objects::new(size, description.classes.len(), &description.options))
    }

    fn tally(description: &Description) -> Box<dyn Tally> {
        Box::new(tally::CountTally::new(description.classes.clone()))
    }
}
