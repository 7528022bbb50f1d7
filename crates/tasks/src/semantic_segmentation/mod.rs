//! Semantic segmentation: a class for each pixel of an image.

mod labels;
mod objective;
#[cfg(test)]
mod tests;

use gyrus_data::{Batch, Dataset, Geometry, IGNORED_PIXEL, Split, TargetKind};
use gyrus_models::segmentation::segmentation;
use gyrus_nn::{Context, Layer};
use gyrus_tensor::{Rng, Tensor};
use gyrus_train::trainer::ObjectiveFn;
use serde::{Deserialize, Serialize};

use crate::TaskError;
use crate::vision::measure::{PixelTally, Tally};
use crate::vision::{CheckedData, Merge, Settings, VisionTask, assign, one_of};

/// The task.
pub struct SemanticSegmentation;

/// What only this task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The names of classes that are neither learnt nor measured, separated by commas. The loss, the scores and the
    /// answers know nothing of them; they keep their numbers.
    pub ignore: String,
    /// The weight of the cross-entropy in the loss.
    pub cross_entropy: f64,
    /// The weight of the Dice loss in the loss.
    pub dice: f64,
    /// Whether classes of few pixels weigh more in the cross-entropy: `none`, or `balanced` for weights in inverse
    /// proportion to their number.
    pub class_weights: String,
}

impl Default for Options {
    fn default() -> Self {
        Options { ignore: String::new(), cross_entropy: 1.0, dice: 1.0, class_weights: "none".into() }
    }
}

type Description = crate::vision::Description<Options>;

impl VisionTask for SemanticSegmentation {
    const NAME: &'static str = "semantic_segmentation";
    const SUMMARY: &'static str = "a class for each pixel: images with masks";
    const KINDS: &'static [TargetKind] = &[TargetKind::PixelClasses];
    const METRICS: &'static [&'static str] = &[];
    const MONITOR: &'static str = "miou";
    // Networks take any size; frames shall have the shape of the images.
    const STRIDE: usize = 4;
    const LARGEST: usize = 512;

    type Options = Options;
    type Network = Box<dyn Layer + Send>;
    /// Images `f32[N, C, H, W]` and the classes of their pixels `i64[N, H, W]`.
    type Tensors = (Tensor, Tensor);

    fn defaults() -> Settings {
        Settings {
            epochs: 100,
            batch: 4,
            lr: 3e-3,
            warmup: 1.0,
            augment: "crop(area=0.25..1),flip".into(),
            ..Settings::default()
        }
    }

    fn validate(options: &Options) -> Result<(), TaskError> {
        for (key, weight) in [("cross_entropy", options.cross_entropy), ("dice", options.dice)] {
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(TaskError::Usage(format!("{key} = {weight}: must be at least 0")));
            }
        }
        if options.cross_entropy + options.dice == 0.0 {
            return Err(TaskError::Usage("cross_entropy and dice are both 0: one of them must be learnt from".into()));
        }
        one_of("class_weights", &options.class_weights, &["none", "balanced"])
    }

    /// Few images are better seen often by a small network than seldom by a large one.
    fn suited_model(_settings: &Settings, data: &CheckedData) -> String {
        let is_few = data.dataset.indices(Split::Train).len() < 1000;
        if is_few { "unet-tiny".into() } else { "unet-small".into() }
    }

    fn build(description: &Description, rng: &mut Rng) -> Result<Self::Network, TaskError> {
        let (preprocess, num_classes) = (&description.preprocess, description.classes.len());
        ignored(description)?;
        segmentation(&description.model, preprocess.channels, num_classes, preprocess.size, rng)
            .map_err(|error| TaskError::Usage(error.to_string()))
    }

    fn fill(description: &Description, batch: &Batch, tensors: &mut Self::Tensors) {
        let (images, targets) = tensors;
        let [num_images, _, height, width] = batch.shape;
        assign(images, &batch.shape, &batch.images);
        let shape = [num_images, height, width];
        match description.options.ignore.is_empty() {
            true => assign(targets, &shape, &batch.pixel_labels),
            false => {
                let is_ignored = known_ignored(description);
                let is_ignored = |label: i64| usize::try_from(label).is_ok_and(|class| is_ignored[class]);
                let learnt = |&label: &i64| if is_ignored(label) { IGNORED_PIXEL } else { label };
                assign(targets, &shape, &batch.pixel_labels.iter().map(learnt).collect::<Vec<i64>>());
            }
        }
    }

    fn objective(description: &Description, dataset: &Dataset) -> ObjectiveFn<Self::Network, Self::Tensors> {
        objective::objective(&description.options, &known_ignored(description), dataset)
    }

    fn infer(network: &Self::Network, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        vec![network.forward(images, context)]
    }

    /// The score of a class is the sum of its probabilities at all pixels; the last map of features are the logits.
    fn look(network: &Self::Network, images: &Tensor) -> Option<(Tensor, Tensor)> {
        let logits = network.forward(images, &mut Context::evaluate());
        let scores = logits.softmax(1).sum([2, 3]);
        Some((logits, scores))
    }

    fn merge<'a>(description: &'a Description, size: Geometry) -> Box<dyn Merge + 'a> {
        Box::new(labels::Labels::new(size, known_ignored(description)))
    }

    fn tally(description: &Description) -> Box<dyn Tally> {
        Box::new(PixelTally::new(description.classes.clone(), known_ignored(description)))
    }
}

/// Of each class whether it is ignored.
fn ignored(description: &Description) -> Result<Vec<bool>, TaskError> {
    let (options, classes) = (&description.options, &description.classes);
    let names: Vec<&str> = options.ignore.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(name) = names.iter().find(|name| !classes.iter().any(|class| class == *name)) {
        return Err(TaskError::Usage(format!(
            "ignore = \"{}\": there is no class `{name}`; the classes are {}",
            options.ignore,
            classes.join(", ")
        )));
    }
    let is_ignored: Vec<bool> = classes.iter().map(|class| names.contains(&class.as_str())).collect();
    match is_ignored.contains(&false) {
        true => Ok(is_ignored),
        false => Err(TaskError::Usage(format!("ignore = \"{}\": no class is left to learn", options.ignore))),
    }
}

/// The same where a network has been built.
fn known_ignored(description: &Description) -> Vec<bool> {
    ignored(description).expect("checked when the network was built")
}
