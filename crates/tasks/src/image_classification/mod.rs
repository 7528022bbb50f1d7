//! Image classification: one class for each image, or any number of them.

mod baselines;
mod objective;
#[cfg(test)]
mod tests;

use gyrus_data::{Batch, Dataset, Geometry, LoaderConfig, Split, TargetKind};
use gyrus_models::{ImageModel, classification};
use gyrus_nn::{Context, Layer};
use gyrus_tensor::{Rng, Tensor};
use gyrus_train::trainer::ObjectiveFn;
use serde::{Deserialize, Serialize};

use crate::TaskError;
use crate::vision::measure::{ClassTally, LabelsTally, Tally};
use crate::vision::{Answer, Baseline, CheckedData, Merge, Settings, View, VisionTask, assign, one_of};

/// The task.
pub struct ImageClassification;

/// What only this task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// How much of each target is spread over all classes.
    pub label_smoothing: f64,
    /// How much less the loss counts what is classified well already: the exponent of the focal loss; 0 for the
    /// cross-entropy.
    pub focal: f64,
    /// Whether classes of few training images weigh more in the loss: `none`, or `balanced` for weights in inverse
    /// proportion to their number.
    pub class_weights: String,
    /// How training images are drawn: `uniform`, each once an epoch, or `balanced`, each class as often as the others.
    pub sampler: String,
    /// Whether images have any number of classes: the data tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multi_label: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            label_smoothing: 0.0,
            focal: 0.0,
            class_weights: "none".into(),
            sampler: "uniform".into(),
            multi_label: false,
        }
    }
}

type Description = crate::vision::Description<Options>;

impl VisionTask for ImageClassification {
    const NAME: &'static str = "image_classification";
    const SUMMARY: &'static str = "one class for each image: digits, or any folder of images by class";
    const KINDS: &'static [TargetKind] = &[TargetKind::Class, TargetKind::Classes];
    const SHIPPED: &'static [&'static str] = &["digits"];
    const METRICS: &'static [&'static str] = &["accuracy"];
    const MONITOR: &'static str = "accuracy";
    const STRIDE: usize = 1;

    type Options = Options;
    type Network = Box<dyn ImageModel + Send>;
    /// Images `f32[N, C, H, W]`, and weights of the classes `f32[N, classes]` or classes `i64[N]`.
    type Tensors = (Tensor, Tensor);

    fn defaults() -> Settings {
        Settings { data: "digits".into(), ..Settings::default() }
    }

    fn validate(options: &Options) -> Result<(), TaskError> {
        for (key, value, limit) in
            [("label_smoothing", options.label_smoothing, 1.0), ("focal", options.focal, f64::INFINITY)]
        {
            if !(0.0..limit).contains(&value) {
                return Err(TaskError::Usage(format!("{key} = {value}: must be at least 0 and less than {limit}")));
            }
        }
        one_of("class_weights", &options.class_weights, &["none", "balanced"])?;
        one_of("sampler", &options.sampler, &["uniform", "balanced"])
    }

    fn adapt(options: &mut Options, dataset: &Dataset) {
        options.multi_label = dataset.kind() == Some(TargetKind::Classes);
    }

    /// One that learns such images within minutes.
    fn suited_model(settings: &Settings, data: &CheckedData) -> String {
        let [height, width] = data.preprocess.size;
        let num_samples = data.dataset.indices(Split::Train).len();
        let name = match height.max(width) {
            // LeNet-5 is what the digits are for, and fast enough to try something on a few images.
            ..=32 if settings.data == "digits" || num_samples < 2000 => "lenet5",
            ..=64 => "resnet9-w32",
            _ => "resnet18",
        };
        name.into()
    }

    fn build(description: &Description, rng: &mut Rng) -> Result<Self::Network, TaskError> {
        let preprocess = &description.preprocess;
        classification(&description.model, preprocess.channels, description.classes.len(), preprocess.size, rng)
            .map_err(|error| TaskError::Usage(error.to_string()))
    }

    fn load(description: &Description, dataset: &Dataset, config: LoaderConfig) -> LoaderConfig {
        if description.options.sampler != "balanced" {
            return config;
        }
        let weights = objective::class_weights(dataset);
        let heaviest = |classes: Vec<usize>| classes.into_iter().map(|class| weights[class]).fold(0.0, f64::max);
        let of = |&index: &usize| heaviest(dataset.target(index).classes());
        LoaderConfig { sample_weights: Some(dataset.indices(Split::Train).iter().map(of).collect()), ..config }
    }

    fn fill(description: &Description, batch: &Batch, tensors: &mut Self::Tensors) {
        let (images, targets) = tensors;
        assign(images, &batch.shape, &batch.images);
        match batch.weights.is_empty() {
            true => assign(targets, &[batch.len()], &batch.labels),
            false => assign(targets, &[batch.len(), description.classes.len()], &batch.weights),
        }
    }

    fn objective(description: &Description, dataset: &Dataset) -> ObjectiveFn<Self::Network, Self::Tensors> {
        objective::objective(&description.options, dataset)
    }

    fn infer(network: &Self::Network, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        vec![network.forward(images, context)]
    }

    fn look(network: &Self::Network, images: &Tensor) -> Option<(Tensor, Tensor)> {
        let context = &mut Context::evaluate();
        let features = network.maps(images, context).pop()?;
        let scores = network.classify(&features, context);
        Some((features, scores))
    }

    fn merge<'a>(description: &'a Description, _size: Geometry) -> Box<dyn Merge + 'a> {
        let probabilities = vec![0.0; description.classes.len()];
        Box::new(Mean { probabilities, num_views: 0, multi_label: description.options.multi_label })
    }

    fn monitor(description: &Description) -> &'static str {
        if description.options.multi_label { "macro_f1" } else { Self::MONITOR }
    }

    fn tally(description: &Description) -> Box<dyn Tally> {
        match description.options.multi_label {
            true => Box::new(LabelsTally::new(description.classes.len())),
            false => Box::new(ClassTally::new(description.classes.len())),
        }
    }

    fn baselines(
        description: &Description,
        data: &CheckedData,
        settings: &Settings,
    ) -> Result<Vec<Baseline>, TaskError> {
        baselines::measure(description, data, settings)
    }
}

/// The mean of the probabilities of all views.
struct Mean {
    probabilities: Vec<f32>,
    num_views: usize,
    multi_label: bool,
}

impl Merge for Mean {
    fn add(&mut self, view: &View) {
        let logits = view.outputs[0].values;
        self.num_views += 1;
        if self.multi_label {
            let sums = self.probabilities.iter_mut().zip(logits);
            return sums.for_each(|(sum, logit)| *sum += 1.0 / (1.0 + (-logit).exp()));
        }
        let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
        let sums = self.probabilities.iter_mut().zip(logits);
        sums.for_each(|(sum, logit)| *sum += (logit - greatest).exp() / total);
    }

    fn finish(self: Box<Self>) -> Answer {
        let mean = self.probabilities.iter().map(|sum| sum / self.num_views as f32).collect();
        if self.multi_label { Answer::Classes(mean) } else { Answer::Class(mean) }
    }
}
