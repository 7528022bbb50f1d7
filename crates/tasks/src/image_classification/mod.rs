//! Image classification: one class for each image.

mod baselines;
mod classifier;
mod data;
mod learner;
mod predict;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod transfer;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gyrus_checkpoint::write_atomically;
use gyrus_data::{Layout, Split, TargetKind};
use gyrus_metrics::{accuracy, cross_entropy};
use gyrus_tensor::{Device, Module, Rng};
use gyrus_train::record::{Checkpoint, Environment, Progress, RunFolder};
use gyrus_train::trainer::{Ending, FitOptions, Monitor, State, fit};

use self::baselines::Baseline;
use self::classifier::{Answers, Description, classify};
use self::data::{CheckedData, evaluation_loader, training_loader};
use self::learner::ImageLearner;
use self::report::Results;
use self::settings::Settings;
use crate::{Config, Finished, Prediction, Scores, Session, Task, TaskError};

const NAME: &str = "image_classification";

/// The task.
pub struct ImageClassification;

impl Task for ImageClassification {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "one class for each image: digits, or any folder of images by class"
    }

    fn shipped_data(&self) -> &'static [&'static str] {
        &["digits"]
    }

    fn recognises(&self, data: &Path) -> Option<String> {
        let layout = Layout::detect(data).ok()?;
        matches!(layout.target_kind(), None | Some(TargetKind::Class)).then(|| layout.to_string())
    }

    fn defaults(&self) -> toml::Table {
        Settings::table()
    }

    fn train(&self, mut config: Config, session: &Session) -> Result<Finished, TaskError> {
        let mut settings: Settings = config.to()?;
        settings.validate()?;
        use_threads(&settings, session);
        let device = device(&settings, session)?;
        let data = data::prepare(&settings, session.say)?;
        if settings.model == "auto" {
            settings.model = data::suited_model(&settings, &data).into();
            (session.say)(&format!("model: {}", settings.model));
            config = config.with_text("model", &settings.model);
        }
        // Whatever can be wrong with the settings shows before a folder is made.
        let description = describe(&settings, &data);
        let mut model = description.build(&mut Rng::new(settings.seed))?;
        transfer::initialise(&mut model, &settings, &session.runs)?;
        transfer::freeze(model, &settings)?;
        let _ = training_loader(&data, &settings)?;

        let run = match settings.name.as_str() {
            "" => RunFolder::create_numbered(&session.runs, NAME, &stem(&settings.data))?,
            name => RunFolder::create(&session.runs, NAME, name)?,
        };
        let _lock = run.lock()?;
        write_atomically(run.config(), |file| file.write_all(config.to_toml(NAME).as_bytes()))?;
        Environment::detect().save(run.environment())?;
        write_json(&run.data_lock(), &serde_json::to_value(&data.report).expect("a plain report"))?;
        (session.say)(&format!("run: {}", run.path().display()));
        Training { settings, config, data, description, device, run: &run, session }.run(false)
    }

    fn resume(&self, run: &RunFolder, session: &Session) -> Result<Finished, TaskError> {
        let _lock = run.lock()?;
        let config = Config::of_run(&run.config(), self.defaults())?;
        let settings: Settings = config.to()?;
        settings.validate()?;
        use_threads(&settings, session);
        let device = device(&settings, session)?;
        let data = data::prepare(&settings, session.say)?;
        same_data(run, &data)?;
        let description = describe(&settings, &data);
        Training { settings, config, data, description, device, run, session }.run(true)
    }

    fn evaluate(&self, run: &RunFolder, data: Option<&str>, session: &Session) -> Result<Scores, TaskError> {
        let (description, mut model) = Description::load(&run.checkpoint(Checkpoint::Best))?;
        let config = Config::of_run(&run.config(), self.defaults())?;
        let settings: Settings = config.to()?;
        use_threads(&settings, session);
        model.move_to(device(&settings, session)?);
        let dataset = match data {
            // The whole of other data, whatever it is split into.
            Some(path) => Arc::new(data::open(path)?.with_classes(description.classes.clone())?),
            None => data::prepare(&settings, session.say)?.dataset,
        };
        let splits: &[Split] = if data.is_some() && dataset.indices(Split::Test).is_empty() {
            &[Split::Train, Split::Validation]
        } else {
            &[Split::Test]
        };
        let mut answers = Answers::default();
        for &split in splits {
            if let Some(loader) = evaluation_loader(&dataset, &description.preprocess, split)? {
                let more = classify().answers(&mut model, &loader)?;
                answers.probabilities.extend(more.probabilities);
                answers.targets.extend(more.targets);
                answers.indices.extend(more.indices);
            }
        }
        if answers.targets.is_empty() {
            return Err(TaskError::Usage("there are no samples to evaluate on; name some with --data".into()));
        }
        let mut scores = measured(&answers, description.classes.len());
        scores.push(("samples".into(), answers.targets.len() as f64));
        Ok(scores)
    }

    fn predict(
        &self,
        run: &RunFolder,
        source: &str,
        session: &Session,
        emit: &mut dyn FnMut(Prediction),
    ) -> Result<(), TaskError> {
        let (description, mut model) = Description::load(&run.checkpoint(Checkpoint::Best))?;
        model.move_to(session.device.unwrap_or_default());
        predict::predict(&description, &mut model, source, emit)
    }
}

/// Everything that a run is made from.
struct Training<'a> {
    settings: Settings,
    config: Config,
    data: CheckedData,
    description: Description,
    device: Device,
    run: &'a RunFolder,
    session: &'a Session<'a>,
}

impl Training<'_> {
    fn run(self, resume: bool) -> Result<Finished, TaskError> {
        let Training { settings, data, description, run, session, .. } = &self;
        let begin = Instant::now();
        let baselines = self.baselines()?;
        let training = training_loader(data, settings)?;
        // Without validation data the training data have to do.
        let validation = evaluation_loader(&data.dataset, &data.preprocess, Split::Validation)?;
        let validation = match validation {
            Some(loader) => loader,
            None => evaluation_loader(&data.dataset, &data.preprocess, Split::Train)?.expect("checked to be there"),
        };
        let mut rng = Rng::new(settings.seed);
        let mut model = description.build(&mut rng)?;
        let num_parameters = model.num_parameters();
        // A resumed run has its weights, which the file may not outlive.
        if !(resume && run.checkpoint(Checkpoint::Last).exists()) {
            transfer::initialise(&mut model, settings, &session.runs)?.inspect(|message| (session.say)(message));
        }
        let model = transfer::freeze(model, settings)?;
        let optimizer = settings.optimizer(&model, training.num_batches() as u64);
        let optimizer = transfer::discriminate(optimizer, &model, settings.layer_decay);
        let mut state = State { model, optimizer, rng };
        let label_smoothing = settings.label_smoothing;
        let mut learner = ImageLearner { training, validation, classify: classify(), label_smoothing };
        let options = FitOptions {
            epochs: settings.epochs,
            patience: settings.patience,
            monitor: Monitor { metric: "accuracy".into(), is_maximized: true },
            clip_norm: (settings.clip_norm > 0.0).then_some(settings.clip_norm),
            precision: settings.precision(),
            device: self.device,
            resume,
            config: serde_json::to_value(description).expect("a plain description"),
        };
        let mut progress = Progress::new(session.progress, settings.epochs);
        let fitted = fit(&mut learner, &mut state, run, &options, &mut progress, session.interrupted)?;
        let path = run.path().to_owned();
        if fitted.ending == Ending::Interrupted {
            let step = fitted.progression.step as f64;
            return Ok(Finished { run: path, is_interrupted: true, scores: vec![("step".into(), step)] });
        }

        let (_, mut best) = Description::load(&run.checkpoint(Checkpoint::Best))?;
        best.move_to(self.device);
        let test = evaluation_loader(&data.dataset, &data.preprocess, Split::Test)?;
        let answers = test.map(|test| learner.classify.answers(&mut best, &test)).transpose()?.unwrap_or_default();
        let num_classes = description.classes.len();
        let mut scores: Scores =
            measured(&answers, num_classes).into_iter().map(|(name, value)| (format!("test/{name}"), value)).collect();
        if let Some((value, epoch)) = fitted.progression.best {
            scores.push(("validation/accuracy".into(), value));
            scores.push(("best_epoch".into(), epoch as f64));
        }
        scores.extend(baselines.iter().map(|baseline| (format!("baseline/{}", baseline.key), baseline.accuracy)));
        scores.push(("parameters".into(), num_parameters as f64));
        write_json(&run.path().join("results.json"), &to_json(&scores))?;
        let seconds = begin.elapsed().as_secs_f64();
        scores.push(("samples_per_second".into(), fitted.samples_per_second));
        scores.push(("seconds".into(), seconds));
        let results = Results { answers: &answers, baselines: &baselines, fitted: &fitted, num_parameters, seconds };
        report::write(&self, &results)?;
        Ok(Finished { run: path, is_interrupted: false, scores })
    }

    /// Measured once in a run.
    fn baselines(&self) -> Result<Vec<Baseline>, TaskError> {
        let path = self.run.path().join("baselines.json");
        if !self.settings.baseline {
            return Ok(vec![]);
        }
        if let Some(known) = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Ok(known);
        }
        let measured = baselines::measure(&self.data, &self.settings, &self.description)?;
        for Baseline { name, accuracy, .. } in &measured {
            (self.session.say)(&format!("baseline: {name}: accuracy {accuracy:.4}"));
        }
        write_json(&path, &serde_json::to_value(&measured).expect("plain baselines"))?;
        Ok(measured)
    }
}

fn describe(settings: &Settings, data: &CheckedData) -> Description {
    Description {
        task: NAME.into(),
        model: settings.model.clone(),
        classes: data.dataset.classes().to_vec(),
        preprocess: data.preprocess.clone(),
    }
}

fn measured(answers: &Answers, num_classes: usize) -> Scores {
    if answers.targets.is_empty() {
        return vec![];
    }
    vec![
        ("accuracy".into(), accuracy(&answers.predicted(), &answers.targets)),
        ("loss".into(), cross_entropy(&answers.probabilities, num_classes, &answers.targets)),
    ]
}

/// A run is resumed on the data it began with, or not at all.
fn same_data(run: &RunFolder, data: &CheckedData) -> Result<(), TaskError> {
    let path = run.data_lock();
    let known = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let fingerprint = known.as_ref().and_then(|lock| lock["fingerprint"].as_str());
    match fingerprint {
        Some(known) if known != data.report.fingerprint => Err(TaskError::Usage(format!(
            "{}: the data have changed since the run began (fingerprint {}, now {}); bring the old data back, or train anew",
            path.display(),
            &known[..known.len().min(12)],
            &data.report.fingerprint[..12],
        ))),
        _ => Ok(()),
    }
}

fn use_threads(settings: &Settings, session: &Session) {
    let wanted = session.threads.unwrap_or(settings.threads);
    if wanted > 0 {
        gyrus_tensor::set_num_threads(wanted);
    }
}

/// Where it is computed: where the command says, or else the configuration.
fn device(settings: &Settings, session: &Session) -> Result<Device, TaskError> {
    match session.device {
        Some(device) => Ok(device),
        None => Ok(gyrus_tensor::open(&settings.device, settings.num_devices)?),
    }
}

/// What a run is named after.
fn stem(data: &str) -> String {
    let path = Path::new(data);
    let named = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    named.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy().into_owned())
}

fn to_json(scores: &Scores) -> serde_json::Value {
    scores
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn write_json(path: &Path, value: &serde_json::Value) -> Result<(), TaskError> {
    Ok(write_atomically(path, |file| writeln!(file, "{value:#}"))?)
}
