//! The data of a run, checked and ready to be loaded.

use std::path::Path;
use std::sync::Arc;

use gyrus_data::transforms::Statistics;
use gyrus_data::{
    Augment, Dataset, Geometry, HoldOut, Layout, Loader, LoaderConfig, Preprocess, Report, Resize, Split, admit, check,
    shipped,
};
use gyrus_train::record::{Checkpoint, RunFolder};
use serde::Deserialize;

use super::description::read;
use super::{Description, Settings, VisionTask};
use crate::{Session, TaskError};

/// Checked data.
pub struct CheckedData {
    /// The samples.
    pub dataset: Arc<Dataset>,
    /// What the gate found.
    pub report: Report,
    /// What every image undergoes.
    pub preprocess: Preprocess,
}

/// The data under a name or at a path, of a kind that the task learns from.
///
/// # Errors
/// If they cannot be read, or are of another kind.
pub fn open<V: VisionTask>(data: &str) -> Result<Dataset, TaskError> {
    let dataset = match data {
        "digits" => shipped::digits()?,
        path => Layout::detect(Path::new(path))?.open(path)?,
    };
    match dataset.kind() {
        Some(kind) if !V::KINDS.contains(&kind) => {
            let wanted: Vec<&str> = V::KINDS.iter().map(|kind| kind.phrase()).collect();
            Err(TaskError::Usage(format!(
                "{data}: its images have {}; {} wants {}",
                kind.phrase(),
                V::NAME,
                wanted.join(", or ")
            )))
        }
        _ => Ok(dataset),
    }
}

/// Opens and checks the data of a run, and measures how to normalise them.
///
/// # Errors
/// If they cannot be read, or do not pass the gate.
pub fn prepare<V: VisionTask>(settings: &Settings, session: &Session) -> Result<CheckedData, TaskError> {
    let say = session.say;
    let hold_out = HoldOut { validation: settings.validation, test: settings.test, seed: settings.seed };
    let dataset = open::<V>(&settings.data)?.hold_out(&hold_out)?;
    dataset.notes().iter().for_each(|note| say(note));
    let (dataset, report) = match settings.allow_bad > 0.0 {
        true => admit(dataset, settings.allow_bad),
        false => {
            let report = check(&dataset);
            (dataset, report)
        }
    };
    if !report.passed() && settings.on_bad_data == "error" {
        return Err(TaskError::Gate(Box::new(report)));
    }
    if !report.passed() || !report.warnings.is_empty() {
        say(&report.to_string());
    }
    let frame = frame::<V>(dataset.geometry(), settings);
    let preprocess = normalised(frame, &dataset, settings, &session.runs)?;
    Ok(CheckedData { dataset: Arc::new(dataset), report, preprocess })
}

/// What the model sees of images of some shape, before normalisation.
fn frame<V: VisionTask>(geometry: Geometry, settings: &Settings) -> Preprocess {
    /// Of small images that stand in a frame of this size, as digits do.
    const SMALL: usize = 32;
    let preprocess = Preprocess::new(geometry);
    let (height, width) = (geometry.height.max(1), geometry.width.max(1));
    let longer = height.max(width);
    let side = match settings.image_size {
        0 if longer <= SMALL && settings.resize == "letterbox" && V::STRIDE == 1 => {
            return preprocess.placed_in(SMALL, SMALL);
        }
        0 if V::STRIDE > 1 => longer.min(V::LARGEST),
        0 => longer.next_multiple_of(SMALL).min(V::LARGEST),
        size => size,
    };
    let resize = match settings.resize.as_str() {
        "stretch" => Resize::Stretch,
        "crop" => Resize::Crop,
        "window" => Resize::Window,
        _ => Resize::Letterbox,
    };
    let size = match V::STRIDE {
        1 => [side, side],
        stride if resize == Resize::Window => [side.next_multiple_of(stride); 2],
        // Most images fill the frame.
        stride => [height, width].map(|length| (length * side).div_ceil(longer).next_multiple_of(stride)),
    };
    preprocess.resized_to(size[0], size[1], resize)
}

/// With mean and standard deviation as the settings want them.
fn normalised(
    preprocess: Preprocess,
    dataset: &Dataset,
    settings: &Settings,
    runs: &Path,
) -> Result<Preprocess, TaskError> {
    let channels = preprocess.channels;
    let known = |mean: [f32; 3], std: [f32; 3]| {
        let of = |values: [f32; 3]| (0..channels).map(|channel| values[channel.min(2)]).collect();
        Statistics { mean: of(mean), std: of(std) }
    };
    let statistics = match settings.normalise.as_str() {
        // Of ImageNet's training images, as torchvision has them.
        "imagenet" => Some(known([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])),
        "half" => Some(known([0.5; 3], [0.5; 3])),
        "auto" => of_initial_run(settings, runs).filter(|statistics| statistics.mean.len() == channels),
        _ => None,
    };
    match statistics {
        Some(statistics) => Ok(preprocess.with_statistics(statistics)),
        None => Ok(preprocess.measured(dataset)?),
    }
}

/// What the run that `init` names was trained with.
fn of_initial_run(settings: &Settings, runs: &Path) -> Option<Statistics> {
    #[derive(Deserialize)]
    struct Known {
        preprocess: Preprocess,
    }
    if settings.init.is_empty() || Path::new(&settings.init).is_file() {
        return None;
    }
    let run = RunFolder::open(runs, &settings.init).ok()?;
    let Preprocess { mean, std, .. } = read::<Known>(&run.checkpoint(Checkpoint::Best)).ok()?.preprocess;
    Some(Statistics { mean, std })
}

/// The batches of training.
///
/// # Errors
/// If a setting does not fit the data.
pub fn training_loader<V: VisionTask>(
    description: &Description<V::Options>,
    dataset: &Arc<Dataset>,
    settings: &Settings,
) -> Result<Loader, TaskError> {
    let augment: Augment = settings.augment.parse()?;
    let preprocess = description.preprocess.clone();
    let repeats = match settings.repeats {
        0 => preprocess.views(dataset.geometry()).len(),
        repeats => repeats,
    };
    let config = LoaderConfig {
        batch_size: settings.batch,
        seed: settings.seed,
        shuffle: true,
        augment,
        prefetch: 8,
        repeats,
        ..LoaderConfig::new(preprocess)
    };
    Ok(Loader::new(dataset.clone(), Split::Train, V::load(description, dataset, config))?)
}
