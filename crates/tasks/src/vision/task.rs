//! What a task on images brings.

use gyrus_data::transforms::Projection;
use gyrus_data::{Batch, Dataset, Geometry, LoaderConfig, TargetKind};
use gyrus_nn::Context;
use gyrus_tensor::{Module, Rng, Tensor};
use gyrus_train::trainer::ObjectiveFn;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::measure::Tally;
use super::{Answer, CheckedData, Description, Settings};
use crate::TaskError;

/// A task on images. What it does not say here all of them have in common.
pub trait VisionTask: Sync + Sized + 'static {
    /// Its published name.
    const NAME: &'static str;
    /// One line of help.
    const SUMMARY: &'static str;
    /// The kinds of targets that it learns from.
    const KINDS: &'static [TargetKind];
    /// The data sets that come with gyrus, and that it trains on.
    const SHIPPED: &'static [&'static str] = &[];
    /// What a step of training reports beside the loss.
    const METRICS: &'static [&'static str];
    /// The score on the validation data that decides what is best: more is better.
    const MONITOR: &'static str;
    /// What height and width of the frame must be divisible by. With 1 frames are square.
    const STRIDE: usize;
    /// The longest side of frames, in pixels, where the settings do not say it.
    const LARGEST: usize = 224;

    /// The settings that only this task has; they stand beside [`Settings`] in a configuration.
    type Options: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What is trained.
    type Network: Module + Send + 'static;
    /// A batch as tensors.
    type Tensors: Module + Clone + Default + 'static;

    /// Whether it is, of the tasks that learn from such targets, the one that is meant where none is named.
    fn suits(_dataset: &Dataset) -> bool {
        true
    }

    /// The shared settings as this task wants them by default.
    fn defaults() -> Settings;

    /// Checks the task's own settings, as far as that can be done without data.
    ///
    /// # Errors
    /// [`TaskError::Usage`], naming the setting.
    fn validate(_options: &Self::Options) -> Result<(), TaskError> {
        Ok(())
    }

    /// Brings the task's own settings into line with the data.
    fn adapt(_options: &mut Self::Options, _dataset: &Dataset) {}

    /// The model that a run gets which names none.
    fn suited_model(settings: &Settings, data: &CheckedData) -> String;

    /// A new network.
    ///
    /// # Errors
    /// [`TaskError::Usage`] if there is no such model, or it cannot be made for these images.
    fn build(description: &Description<Self::Options>, rng: &mut Rng) -> Result<Self::Network, TaskError>;

    /// The way in which training loads its data, where the task wants it otherwise.
    fn load(_description: &Description<Self::Options>, _dataset: &Dataset, config: LoaderConfig) -> LoaderConfig {
        config
    }

    /// Writes a batch into tensors, in place where they fit.
    fn fill(description: &Description<Self::Options>, batch: &Batch, tensors: &mut Self::Tensors);

    /// What each step of training on these data makes less.
    fn objective(
        description: &Description<Self::Options>,
        dataset: &Dataset,
    ) -> ObjectiveFn<Self::Network, Self::Tensors>;

    /// In use: images `[N, C, H, W]` to outputs, each with N first.
    fn infer(network: &Self::Network, images: &Tensor, context: &mut Context) -> Vec<Tensor>;

    /// In use, for explanations: of images `[N, C, H, W]` a map of features `[N, K, h, w]`, and the score of each class,
    /// `[N, classes]`, before any softmax, which follows from it. Nothing of a task that is not explained.
    fn look(_network: &Self::Network, _images: &Tensor) -> Option<(Tensor, Tensor)> {
        None
    }

    /// Brings together what the network says of the views of an image of this size.
    fn merge<'a>(description: &'a Description<Self::Options>, size: Geometry) -> Box<dyn Merge + 'a>;

    /// The score that decides what is best, where the data change it.
    fn monitor(_description: &Description<Self::Options>) -> &'static str {
        Self::MONITOR
    }

    /// Measures answers.
    fn tally(description: &Description<Self::Options>) -> Box<dyn Tally>;

    /// What simple methods reach on the test data: measured once in a run.
    ///
    /// # Errors
    /// If the data cannot be read.
    fn baselines(
        _description: &Description<Self::Options>,
        _data: &CheckedData,
        _settings: &Settings,
    ) -> Result<Vec<Baseline>, TaskError> {
        Ok(vec![])
    }
}

/// What a simple method reaches.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct Baseline {
    /// The method, for programs.
    pub key: String,
    /// The method, for people.
    pub name: String,
    /// The share of test samples that it gets right.
    pub accuracy: f64,
}

/// One view of an image and what the network says of it.
pub struct View<'a> {
    /// From the pixels of the image to those of the frame.
    pub projection: Projection,
    /// The network's outputs for it.
    pub outputs: Vec<Output<'a>>,
}

/// A tensor that a network gave for one view.
pub struct Output<'a> {
    /// Its shape, without the axis of the batch.
    pub shape: &'a [usize],
    /// Its elements, row-major.
    pub values: &'a [f32],
}

/// Brings together what a network says of the views of one image: the whole of it, its parts, mirrored copies.
pub trait Merge {
    /// Takes in a view.
    fn add(&mut self, view: &View);

    /// What all of them say.
    fn finish(self: Box<Self>) -> Answer;
}
