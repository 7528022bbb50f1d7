//! The data of a run, checked and ready to be loaded.

use std::path::Path;
use std::sync::Arc;

use gyrus_data::{
    Augment, DataError, Dataset, Geometry, HoldOut, Layout, Loader, LoaderConfig, Preprocess, Report, Resize, Split,
    TargetKind, check, shipped,
};

use super::Settings;
use crate::TaskError;

/// Checked data.
pub struct CheckedData {
    pub dataset: Arc<Dataset>,
    pub report: Report,
    pub preprocess: Preprocess,
}

/// The data under a name or at a path.
pub fn open(data: &str) -> Result<Dataset, TaskError> {
    let dataset = match data {
        "digits" => shipped::digits()?,
        path => Layout::detect(Path::new(path))?.open(path)?,
    };
    match dataset.kind() {
        None | Some(TargetKind::Class) => Ok(dataset),
        Some(other) => Err(TaskError::Usage(format!(
            "{data}: its images have {}; this task wants one class an image",
            other.phrase()
        ))),
    }
}

/// Opens and checks the data of a run, and measures how to normalise them.
pub fn prepare(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> Result<CheckedData, TaskError> {
    let hold_out = HoldOut { validation: settings.validation, test: settings.test, seed: settings.seed };
    let dataset = open(&settings.data)?.hold_out(&hold_out)?;
    dataset.notes().iter().for_each(|note| say(note));
    let report = check(&dataset);
    if !report.passed() && settings.on_bad_data == "error" {
        return Err(TaskError::Gate(Box::new(report)));
    }
    if !report.passed() || !report.warnings.is_empty() {
        say(&report.to_string());
    }
    let preprocess = frame(dataset.geometry(), settings.image_size).measured(&dataset)?;
    Ok(CheckedData { dataset: Arc::new(dataset), report, preprocess })
}

/// What the model sees of images of some shape: small ones stand in a frame of 32x32, larger ones are made
/// so small, unless a size is asked for.
fn frame(geometry: Geometry, image_size: usize) -> Preprocess {
    const DEFAULT: usize = 32;
    let preprocess = Preprocess::new(geometry);
    match image_size {
        0 if geometry.height <= DEFAULT && geometry.width <= DEFAULT => preprocess.placed_in(DEFAULT, DEFAULT),
        0 => preprocess.resized_to(DEFAULT, DEFAULT, Resize::Letterbox),
        size => preprocess.resized_to(size, size, Resize::Letterbox),
    }
}

/// The model that a run gets which names none: one that learns such images within minutes.
pub fn suited_model(settings: &Settings, data: &CheckedData) -> &'static str {
    let [height, width] = data.preprocess.size;
    let num_samples = data.dataset.indices(Split::Train).len();
    match height.max(width) {
        // LeNet-5 is what the digits are for, and fast enough to try something on a few images.
        ..=32 if settings.data == "digits" || num_samples < 2000 => "lenet5",
        ..=64 => "resnet9-w32",
        _ => "resnet18",
    }
}

/// The batches of training.
pub fn training_loader(data: &CheckedData, settings: &Settings) -> Result<Loader, TaskError> {
    let augment: Augment = settings.augment.parse()?;
    let config = LoaderConfig {
        batch_size: settings.batch,
        seed: settings.seed,
        shuffle: true,
        augment,
        prefetch: 8,
        ..LoaderConfig::new(data.preprocess.clone())
    };
    Ok(Loader::new(data.dataset.clone(), Split::Train, config)?)
}

/// The batches of a measurement; `None` if the split has no samples.
pub fn evaluation_loader(
    dataset: &Arc<Dataset>,
    preprocess: &Preprocess,
    split: Split,
) -> Result<Option<Loader>, TaskError> {
    let config = LoaderConfig { batch_size: 256, ..LoaderConfig::new(preprocess.clone()) };
    match Loader::new(dataset.clone(), split, config) {
        Ok(loader) => Ok(Some(loader)),
        Err(DataError::EmptySplit { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
