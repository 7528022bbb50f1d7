//! The settings that all tasks on images have.

use serde::{Deserialize, Serialize};

use gyrus_optim::{Adam, AdamConfig, AdamW, AdamWConfig, Averaged, Optimizer, Schedule, Sgd, SgdConfig};
use gyrus_tensor::{Module, Precision};

use crate::TaskError;

/// The settings that all tasks on images have. Those of a task itself stand beside them, in the same table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// `digits`, or the path of the data.
    pub data: String,
    /// The model, by name; `auto` chooses by the data.
    pub model: String,
    /// What the model starts from: a run, or a file of weights (`.safetensors`, or a PyTorch state dict). Tensors are
    /// taken by name, where the shape fits; empty for initial values that are drawn.
    pub init: String,
    /// What of the model is not trained: names of its parts, separated by commas, or so many stages from the input on.
    pub freeze: String,
    /// The learning rate of a stage as a share of that of the stage after it; 1 for the same rate everywhere.
    pub layer_decay: f64,
    /// Epochs that the last stage learns alone; after as many again the stage before it joins, and so on. 0 lets all learn
    /// from the start.
    pub unfreeze: f64,
    /// The longer side of what the model sees, in pixels; 0 chooses by the data.
    pub image_size: usize,
    /// How images are brought to that size: `letterbox`, `stretch`, `crop`, or `window` for parts of images that keep
    /// their scale.
    pub resize: String,
    /// What is subtracted from the pixels, and what they are divided by: `measured` on the training images, those of
    /// `imagenet`, or `half` for both 0.5; `auto` takes those of the run that `init` names, else measures.
    pub normalise: String,
    /// How often an epoch has each training image; 0 for as many windows as cover it.
    pub repeats: usize,
    /// Passes over the training data.
    pub epochs: u64,
    /// Samples a step.
    pub batch: usize,
    /// The greatest learning rate.
    pub lr: f64,
    /// `sgd`, `adam` or `adamw`.
    pub optimizer: String,
    /// The momentum of `sgd`.
    pub momentum: f64,
    /// Whether steps of `sgd` with momentum look ahead along it.
    pub nesterov: bool,
    /// The weight decay.
    pub weight_decay: f64,
    /// `constant`, `cosine` or `one_cycle`.
    pub schedule: String,
    /// Epochs of linear warm-up.
    pub warmup: f64,
    /// The greatest norm of all gradients together; 0 for no limit.
    pub clip_norm: f64,
    /// What is measured and kept is the average of the model over its steps, in each of which so large a share of what was
    /// before remains; 0 for the model as the last step left it.
    pub average: f64,
    /// How exactly products are computed in training: `full`, or faster where a device can as `tf32` or `bf16`.
    pub precision: String,
    /// What all randomness depends on.
    pub seed: u64,
    /// Where it is computed: `cpu`, the name of an accelerator, or `pjrt:PATH`.
    pub device: String,
    /// How many such devices, each with its share of every batch; more than one of accelerators only.
    pub num_devices: usize,
    /// Threads that compute; 0 for all processors.
    pub threads: usize,
    /// Epochs without a better result on the validation data after which training ends; 0 for never.
    pub patience: u64,
    /// `none`, `light`, `strong`, or a list of operations.
    pub augment: String,
    /// The name of the run; empty numbers it.
    pub name: String,
    /// The share of the training data for validation, where the data have none.
    pub validation: f64,
    /// The share of the training data for the test, where the data have none.
    pub test: f64,
    /// What findings of the data checks do: `error` ends the run, `warn` goes on.
    pub on_bad_data: String,
    /// The share of the samples that may be set aside, because something is wrong with them, before a run is refused.
    pub allow_bad: f64,
    /// Whether baselines are measured first.
    pub baseline: bool,
    /// Whether measurements, too, are made on each image and its mirror image together.
    pub mirror: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            data: String::new(),
            model: "auto".into(),
            init: String::new(),
            freeze: String::new(),
            layer_decay: 1.0,
            unfreeze: 0.0,
            image_size: 0,
            resize: "letterbox".into(),
            normalise: "auto".into(),
            repeats: 0,
            epochs: 12,
            batch: 64,
            lr: 2e-3,
            optimizer: "adamw".into(),
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.01,
            schedule: "cosine".into(),
            warmup: 0.5,
            clip_norm: 0.0,
            average: 0.0,
            precision: "full".into(),
            seed: 0,
            device: "cpu".into(),
            num_devices: 1,
            threads: 0,
            patience: 0,
            augment: "light".into(),
            name: String::new(),
            validation: 0.1,
            test: 0.1,
            on_bad_data: "error".into(),
            allow_bad: 0.0,
            baseline: true,
            mirror: false,
        }
    }
}

impl Settings {
    /// Checks what can be checked without data.
    ///
    /// # Errors
    /// [`TaskError::Usage`], naming the setting.
    pub fn validate(&self) -> Result<(), TaskError> {
        let wrong = |reason: String| Err(TaskError::Usage(reason));
        if self.epochs == 0 || self.batch == 0 {
            return wrong("epochs and batch must be at least 1".into());
        }
        greater_than_zero("lr", self.lr)?;
        for (key, value, limit) in [
            ("momentum", self.momentum, 1.0),
            ("weight_decay", self.weight_decay, f64::INFINITY),
            ("clip_norm", self.clip_norm, f64::INFINITY),
            ("warmup", self.warmup, f64::INFINITY),
            ("unfreeze", self.unfreeze, f64::INFINITY),
            ("allow_bad", self.allow_bad, 1.0),
            ("average", self.average, 1.0),
        ] {
            if !(0.0..limit).contains(&value) {
                return wrong(format!("{key} = {value}: must be at least 0 and less than {limit}"));
            }
        }
        if !(self.layer_decay > 0.0 && self.layer_decay <= 1.0) {
            return wrong(format!("layer_decay = {}: must be greater than 0 and at most 1", self.layer_decay));
        }
        one_of("optimizer", &self.optimizer, &["sgd", "adam", "adamw"])?;
        one_of("precision", &self.precision, &Precision::ALL.map(Precision::name))?;
        one_of("resize", &self.resize, &["letterbox", "stretch", "crop", "window"])?;
        one_of("normalise", &self.normalise, &["auto", "measured", "imagenet", "half"])?;
        one_of("schedule", &self.schedule, &["constant", "cosine", "one_cycle"])?;
        one_of("on_bad_data", &self.on_bad_data, &["error", "warn"])
    }

    /// How exactly products are computed in training.
    pub fn precision(&self) -> Precision {
        Precision::named(&self.precision).expect("was checked")
    }

    /// The optimizer for a model, with one learning rate for all of it.
    pub fn optimizer(&self, model: &dyn Module, steps_per_epoch: u64) -> Box<dyn Optimizer> {
        let learning_rate = self.schedule(steps_per_epoch);
        let weight_decay = self.weight_decay;
        match self.optimizer.as_str() {
            "sgd" => {
                let (momentum, nesterov) = (self.momentum, self.nesterov && self.momentum > 0.0);
                let config = SgdConfig { momentum, nesterov, weight_decay, ..SgdConfig::new(learning_rate) };
                Box::new(Sgd::new(model, config))
            }
            "adam" => Box::new(Adam::new(model, AdamConfig { weight_decay, ..AdamConfig::new(learning_rate) })),
            _ => Box::new(AdamW::new(model, AdamWConfig { weight_decay, ..AdamWConfig::new(learning_rate) })),
        }
    }

    /// The optimizer with the average of the model beside it, if that is wanted.
    pub fn averaged(&self, optimizer: Box<dyn Optimizer>, model: &dyn Module) -> Box<dyn Optimizer> {
        match self.average {
            0.0 => optimizer,
            decay => Box::new(Averaged::new(optimizer, model, decay)),
        }
    }

    fn schedule(&self, steps_per_epoch: u64) -> Schedule {
        let num_steps = (self.epochs * steps_per_epoch).max(1);
        let warmup = ((self.warmup * steps_per_epoch as f64) as u64).min(num_steps / 2);
        match self.schedule.as_str() {
            "constant" => Schedule::Constant(self.lr).with_warmup(warmup),
            // A cycle brings its own rise, which takes at least two steps.
            "one_cycle" if num_steps >= 10 => Schedule::one_cycle(self.lr, num_steps),
            _ => {
                let falling = (num_steps - warmup).max(1);
                Schedule::Cosine { initial: self.lr, minimum: 0.0, num_steps: falling }.with_warmup(warmup)
            }
        }
    }
}

/// Checks a setting that is a weight in a loss, or another number greater than 0.
///
/// # Errors
/// [`TaskError::Usage`] that names it.
pub fn greater_than_zero(key: &str, value: f64) -> Result<(), TaskError> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(TaskError::Usage(format!("{key} = {value}: must be greater than 0")))
}

/// Checks a setting that is one of some words.
///
/// # Errors
/// [`TaskError::Usage`] that lists them.
pub fn one_of(key: &str, value: &str, allowed: &[&str]) -> Result<(), TaskError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(TaskError::Usage(format!("{key} = \"{value}\": must be one of {}", allowed.join(", "))))
}
