//! A run from its settings to its report.

use std::path::Path;
use std::time::Instant;

use gyrus_checkpoint::write_atomically;
use gyrus_data::Split;
use gyrus_tensor::{Device, Module, Rng};
use gyrus_train::record::{Checkpoint, Environment, Progress, RunFolder};
use gyrus_train::trainer::{Ending, FitOptions, Fitted, Monitor, State, fit};
use toml::Table;

use super::data::{CheckedData, prepare, training_loader};
use super::description::{DECISION, Decision};
use super::learner::VisionLearner;
use super::measure::Tally;
use super::report::{self, Results};
use super::{Baseline, Description, Model, Predictor, Settings, VisionTask, device, measure, transfer, use_threads};
use crate::{Config, Finished, Scores, Session, TaskError};

/// Everything that a run is made from.
pub struct Training<'a, V: VisionTask> {
    pub settings: Settings,
    pub config: Config,
    pub data: CheckedData,
    pub description: Description<V::Options>,
    pub run: &'a RunFolder,
    device: Device,
    session: &'a Session<'a>,
}

impl<'a, V: VisionTask> Training<'a, V> {
    /// A new run.
    ///
    /// # Errors
    /// Whatever can be wrong with settings and data shows before a folder is made.
    pub fn begin(mut config: Config, session: &Session) -> Result<Finished, TaskError> {
        let (mut settings, mut options) = settings::<V>(&config)?;
        use_threads(&settings, session);
        let device = device(&settings, session)?;
        let data = prepare::<V>(&settings, session)?;
        V::adapt(&mut options, &data.dataset);
        if settings.model == "auto" {
            settings.model = V::suited_model(&settings, &data);
            (session.say)(&format!("model: {}", settings.model));
            config = config.with_text("model", &settings.model);
        }
        let description = describe::<V>(&settings, options, &data);
        let start = Start::of(&description, &settings, session, true)?;
        training_loader::<V>(&description, &data.dataset, &settings)?;

        let run = match settings.name.as_str() {
            "" => RunFolder::create_numbered(&session.runs, V::NAME, &stem(&settings.data))?,
            name => RunFolder::create(&session.runs, V::NAME, name)?,
        };
        let _lock = run.lock()?;
        write_atomically(run.config(), |file| file.write_all(config.to_toml(V::NAME).as_bytes()))?;
        Environment::detect().save(run.environment())?;
        write_json(&run.data_lock(), &serde_json::to_value(&data.report).expect("a plain report"))?;
        (session.say)(&format!("run: {}", run.path().display()));
        Training::<V> { settings, config, data, description, device, run: &run, session }.run(start, false)
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// [`TaskError::Usage`] if its data have changed; whatever happens in training.
    pub fn resume(run: &RunFolder, defaults: Table, session: &Session) -> Result<Finished, TaskError> {
        let _lock = run.lock()?;
        let config = Config::of_run(&run.config(), defaults)?;
        let (settings, mut options) = settings::<V>(&config)?;
        use_threads(&settings, session);
        let device = device(&settings, session)?;
        let data = prepare::<V>(&settings, session)?;
        same_data(run, &data)?;
        V::adapt(&mut options, &data.dataset);
        let description = describe::<V>(&settings, options, &data);
        // A run that was saved has its weights, which the file may not outlive.
        let is_new = !run.checkpoint(Checkpoint::Last).exists();
        let start = Start::of(&description, &settings, session, is_new)?;
        Training::<V> { settings, config, data, description, device, run, session }.run(start, true)
    }

    fn run(mut self, start: Start<V>, resume: bool) -> Result<Finished, TaskError> {
        let begin = Instant::now();
        let baselines = self.baselines()?;
        let num_parameters = start.num_parameters;
        let fitted = self.fit(start, resume)?;
        let path = self.run.path().to_owned();
        if fitted.ending == Ending::Interrupted {
            let step = fitted.progression.step as f64;
            return Ok(Finished { run: path, is_interrupted: true, scores: vec![("step".into(), step)] });
        }

        let (_, mut best) = Description::load::<V>(self.run)?;
        best.move_to(self.device);
        let validated = self.measured(&mut best, self.validation())?;
        if let Some(confidence) = validated.confidence() {
            let decision = serde_json::to_value(Decision { confidence }).expect("a plain number");
            write_json(&self.run.path().join(DECISION), &decision)?;
            self.description.confidence = Some(confidence);
        }
        let tested = self.measured(&mut best, Split::Test)?;
        let under = |split: &'static str| move |(name, value): (String, f64)| (format!("{split}/{name}"), value);
        let mut scores: Scores = tested.scores().into_iter().map(under("test")).collect();
        scores.extend(validated.scores().into_iter().map(under("validation")));
        scores.extend(fitted.progression.best.map(|(_, epoch)| ("best_epoch".into(), epoch as f64)));
        scores.extend(self.description.confidence.map(|confidence| ("confidence".into(), confidence)));
        scores.extend(baselines.iter().map(|baseline| (format!("baseline/{}", baseline.key), baseline.accuracy)));
        scores.push(("parameters".into(), num_parameters as f64));
        write_json(&self.run.path().join("results.json"), &to_json(&scores))?;
        let seconds = begin.elapsed().as_secs_f64();
        scores.push(("samples_per_second".into(), fitted.samples_per_second));
        scores.push(("seconds".into(), seconds));
        let has_test = !self.data.dataset.indices(Split::Test).is_empty();
        let (split, tally) = if has_test { (Split::Test, tested) } else { (self.validation(), validated) };
        let results =
            Results { split, tally: &*tally, baselines: &baselines, fitted: &fitted, num_parameters, seconds };
        report::write(&self, &mut best, &results)?;
        Ok(Finished { run: path, is_interrupted: false, scores })
    }

    /// Trains.
    fn fit(&self, start: Start<V>, resume: bool) -> Result<Fitted, TaskError> {
        let Training { settings, data, description, run, session, .. } = self;
        let training = training_loader::<V>(description, &data.dataset, settings)?;
        let Start { model, rng, message, .. } = start;
        message.inspect(|message| (session.say)(message));
        let steps_per_epoch = training.num_batches() as u64;
        let optimizer = settings.optimizer(&model, steps_per_epoch);
        let optimizer = transfer::discriminate(optimizer, &model, settings, steps_per_epoch);
        let optimizer = settings.averaged(optimizer, &model);
        let mut state = State { model, optimizer, rng };
        let predictor = Predictor::new(description, settings.mirror);
        let mut learner = VisionLearner::<V> { description, training, validation: self.validation(), predictor };
        let options = FitOptions {
            epochs: settings.epochs,
            patience: settings.patience,
            monitor: Monitor { metric: V::monitor(description).into(), is_maximized: true },
            clip_norm: (settings.clip_norm > 0.0).then_some(settings.clip_norm),
            precision: settings.precision(),
            device: self.device,
            resume,
            config: serde_json::to_value(description).expect("a plain description"),
        };
        let mut progress = Progress::new(session.progress, settings.epochs);
        Ok(fit(&mut learner, &mut state, run, &options, &mut progress, session.interrupted)?)
    }

    /// What decisions are made on: without validation data the training data have to do.
    fn validation(&self) -> Split {
        let is_there = !self.data.dataset.indices(Split::Validation).is_empty();
        if is_there { Split::Validation } else { Split::Train }
    }

    fn measured(&self, model: &mut Model<V>, split: Split) -> Result<Box<dyn Tally>, TaskError> {
        let mut tally = V::tally(&self.description);
        let mut predictor = Predictor::<V>::new(&self.description, self.settings.mirror);
        measure(&mut predictor, model, &self.data.dataset, split, &mut *tally, |_, _| Ok(()))?;
        Ok(tally)
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
        let measured = V::baselines(&self.description, &self.data, &self.settings)?;
        for Baseline { name, accuracy, .. } in &measured {
            (self.session.say)(&format!("baseline: {name}: accuracy {accuracy:.4}"));
        }
        write_json(&path, &serde_json::to_value(&measured).expect("plain baselines"))?;
        Ok(measured)
    }
}

/// What training starts from.
struct Start<V: VisionTask> {
    model: Model<V>,
    /// After the initial values were drawn.
    rng: Rng,
    /// Of the whole network, frozen or not.
    num_parameters: usize,
    /// What was taken from other weights.
    message: Option<String>,
}

impl<V: VisionTask> Start<V> {
    /// With the weights that `init` names, if it is wanted.
    fn of(
        description: &Description<V::Options>,
        settings: &Settings,
        session: &Session,
        initialise: bool,
    ) -> Result<Self, TaskError> {
        let mut rng = Rng::new(settings.seed);
        let mut network = V::build(description, &mut rng)?;
        let num_parameters = network.num_parameters();
        let message = match initialise {
            true => transfer::initialise(&mut network, settings, &session.runs)?,
            false => None,
        };
        Ok(Start { model: transfer::freeze(network, settings)?, rng, num_parameters, message })
    }
}

/// The shared settings and the task's own, each checked.
fn settings<V: VisionTask>(config: &Config) -> Result<(Settings, V::Options), TaskError> {
    let settings: Settings = config.to()?;
    settings.validate()?;
    let options: V::Options = config.to()?;
    V::validate(&options)?;
    Ok((settings, options))
}

fn describe<V: VisionTask>(settings: &Settings, options: V::Options, data: &CheckedData) -> Description<V::Options> {
    Description {
        task: V::NAME.into(),
        model: settings.model.clone(),
        classes: data.dataset.classes().to_vec(),
        preprocess: data.preprocess.clone(),
        options,
        confidence: None,
    }
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

/// What a run is named after.
fn stem(data: &str) -> String {
    let path = Path::new(data);
    let named = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    named.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy().into_owned())
}

fn to_json(scores: &Scores) -> serde_json::Value {
    let number = |(name, value): &(String, f64)| (name.clone(), serde_json::json!(value));
    scores.iter().map(number).collect::<serde_json::Map<_, _>>().into()
}

fn write_json(path: &Path, value: &serde_json::Value) -> Result<(), TaskError> {
    Ok(write_atomically(path, |file| writeln!(file, "{value:#}"))?)
}
