//! The loop itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gyrus_nn::Context;
use gyrus_tensor::{Device, Module, Precision, Tensor, prefetch};

use super::checkpoint::{load_state, save_model, save_state};
use super::divergence::first_bad_tensor;
use super::step::compile_step;
use super::{Learner, Progression, State, TrainError};
use crate::record::{Checkpoint, EventFile, MetricsLine, MetricsLog, Progress, RunFolder};

/// Which validation metric decides what is best.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    /// Its name.
    pub metric: String,
    /// Whether more is better.
    pub is_maximized: bool,
}

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub struct FitOptions {
    /// The number of epochs.
    pub epochs: u64,
    /// After so many epochs without a better value of the monitored metric the run ends; 0 for never.
    pub patience: u64,
    /// What decides.
    pub monitor: Monitor,
    /// The greatest norm of all gradients together.
    pub clip_norm: Option<f64>,
    /// How exactly the products of layers are computed in training.
    pub precision: Precision,
    /// Where it is computed.
    pub device: Device,
    /// Whether to continue from the last checkpoint.
    pub resume: bool,
    /// What the task needs to build the model again; kept with each checkpoint.
    pub config: serde_json::Value,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All epochs are done.
    Complete,
    /// The monitored metric did not become better for long enough.
    Stopped,
    /// Someone asked it to stop; it can be resumed.
    Interrupted,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// How it ended.
    pub ending: Ending,
    /// How far it came.
    pub progression: Progression,
    /// Training samples a second of the steps alone, without validation and checkpoints.
    pub samples_per_second: f64,
}

/// Trains `state` until the epochs are done, early stopping ends the run or `interrupted` becomes true, and
/// leaves checkpoints `best` and `last`, `metrics.jsonl` and TensorBoard events in the run's folder.
///
/// # Errors
/// [`TrainError`]; the last checkpoint can then be resumed.
pub fn fit<L: Learner>(
    learner: &mut L,
    state: &mut State<L::Model>,
    run: &RunFolder,
    options: &FitOptions,
    progress: &mut Progress,
    interrupted: &AtomicBool,
) -> Result<Fitted, TrainError> {
    let mut loop_ = Loop::begin(learner, state, run, options)?;
    while loop_.progression.epoch < options.epochs && !loop_.progression.is_stopped {
        if loop_.epoch(learner, state, progress, interrupted)? == Flow::Interrupted {
            return Ok(loop_.end(Ending::Interrupted));
        }
    }
    let ending = if loop_.progression.is_stopped { Ending::Stopped } else { Ending::Complete };
    Ok(loop_.end(ending))
}

#[derive(PartialEq)]
enum Flow {
    Continues,
    Interrupted,
}

/// One step of training: returns what [`compile_step`] does.
type Step<M, T> = Box<dyn FnMut(&mut State<M>, T) -> Tensor>;

struct Loop<'a, L: Learner> {
    step: Step<L::Model, L::Tensors>,
    /// The batch of the step, and the one after it.
    tensors: [L::Tensors; 2],
    run: &'a RunFolder,
    options: &'a FitOptions,
    metrics: MetricsLog,
    events: EventFile,
    progression: Progression,
    /// Samples trained on, and the time that took.
    speed: (u64, f64),
}

impl<'a, L: Learner> Loop<'a, L> {
    fn begin(
        learner: &L,
        state: &mut State<L::Model>,
        run: &'a RunFolder,
        options: &'a FitOptions,
    ) -> Result<Self, TrainError> {
        let last = run.checkpoint(Checkpoint::Last);
        let progression = match options.resume && last.exists() {
            true => load_state(&last, state)?,
            false => Progression::default(),
        };
        state.move_to(options.device);
        // A run can have been killed before its first checkpoint, or even before its log.
        let metrics = match options.resume && run.metrics().exists() {
            true => MetricsLog::resume(run.metrics(), progression.step)?,
            false => MetricsLog::create(run.metrics())?,
        };
        let events = EventFile::create(run.path(), progression.step)?;
        let mut step = compile_step(learner.objective(), options.clip_norm, options.precision);
        let step = Box::new(move |state: &mut State<L::Model>, tensors| step.call(state, tensors));
        Ok(Loop { step, tensors: Default::default(), run, options, metrics, events, progression, speed: (0, 0.0) })
    }

    fn epoch(
        &mut self,
        learner: &mut L,
        state: &mut State<L::Model>,
        progress: &mut Progress,
        interrupted: &AtomicBool,
    ) -> Result<Flow, TrainError> {
        let Progression { epoch, batch, samples, .. } = self.progression;
        progress.begin_epoch(epoch + 1, learner.num_samples() as u64);
        progress.advance(samples, None);
        let begin = Instant::now();
        let mut batches = learner.batches(epoch as usize, batch as usize);
        let mut next = self.load(learner, batches.next())?;
        while let Some(batch) = next {
            self.tensors.swap(0, 1);
            let report = (self.step)(state, self.tensors[0].clone());
            // While an accelerator computes, the next batch is on its way to it.
            let loaded = self.load(learner, batches.next());
            self.account(learner, state, &batch, &report, progress)?;
            if interrupted.load(Ordering::Relaxed) {
                drop(batches);
                self.save(state)?;
                return Ok(Flow::Interrupted);
            }
            next = loaded?;
        }
        drop(batches);
        self.speed.0 += self.progression.samples - samples;
        self.speed.1 += begin.elapsed().as_secs_f64();
        self.end_epoch(learner, state, progress)?;
        Ok(Flow::Continues)
    }

    /// Brings a batch into the second place of the tensors.
    fn load(
        &mut self,
        learner: &L,
        batch: Option<Result<L::Batch, TrainError>>,
    ) -> Result<Option<L::Batch>, TrainError> {
        let Some(batch) = batch.transpose()? else { return Ok(None) };
        learner.fill(&batch, &mut self.tensors[1]);
        prefetch(&self.tensors[1], self.options.device);
        Ok(Some(batch))
    }

    /// Takes down what a step came to.
    fn account(
        &mut self,
        learner: &L,
        state: &mut State<L::Model>,
        batch: &L::Batch,
        report: &Tensor,
        progress: &mut Progress,
    ) -> Result<(), TrainError> {
        let num_samples = learner.len(batch) as u64;
        let progression = &mut self.progression;
        let loss = report.read(|numbers: &[f32]| {
            let loss = numbers[0] as f64;
            if loss.is_finite() {
                progression.sums.resize(numbers.len() - 1, 0.0);
                progression.sums[0] += loss * num_samples as f64;
                progression.sums[1..].iter_mut().zip(&numbers[2..]).for_each(|(sum, &number)| *sum += number as f64);
            }
            loss
        });
        if !loss.is_finite() {
            return Err(self.diverged(learner, state, batch, loss));
        }
        self.progression.step += 1;
        self.progression.batch += 1;
        self.progression.samples += num_samples;
        progress.advance(num_samples, Some(loss));
        Ok(())
    }

    /// The step changed nothing: what it computed can be computed again, here, and looked at.
    fn diverged(&self, learner: &L, state: &State<L::Model>, batch: &L::Batch, loss: f64) -> TrainError {
        let tensors = &self.tensors[0];
        let objective = learner.objective();
        let mut rng = state.rng.clone();
        let mut context = Context::train(&mut rng).with_precision(self.options.precision);
        let again = objective(&state.model, tensors, &mut context);
        TrainError::Diverged {
            loss,
            step: self.progression.step + 1,
            epoch: self.progression.epoch + 1,
            tensor: first_bad_tensor(&again.loss, &state.model, tensors),
            samples: learner.origins(batch),
        }
    }

    fn end_epoch(
        &mut self,
        learner: &mut L,
        state: &mut State<L::Model>,
        progress: &mut Progress,
    ) -> Result<(), TrainError> {
        let learning_rate = state.optimizer.learning_rate().item();
        let names = ["loss"].into_iter().chain(learner.metric_names().iter().copied());
        let count = self.progression.samples as f64;
        let mut trained: Vec<(&str, f64)> = names.zip(self.progression.sums.iter().map(|sum| sum / count)).collect();
        trained.push(("learning_rate", learning_rate));
        // What is measured, and kept if it is best, may be another model than the one that goes on learning.
        state.optimizer.exchange(&mut state.model);
        let validated = learner.validate(&mut state.model)?;

        let progression = &mut self.progression;
        progression.epoch += 1;
        (progression.batch, progression.samples) = (0, 0);
        progression.sums.clear();
        let validated: Vec<(&str, f64)> = validated.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let (step, epoch) = (progression.step, progression.epoch);
        for (split, values) in [("train", &trained), ("validation", &validated)] {
            self.metrics.append(&MetricsLine::new(step, epoch, split, values.iter().copied()))?;
            for (name, value) in values {
                self.events.scalar(&format!("{split}/{name}"), step, *value)?;
            }
        }
        self.events.flush()?;

        let is_best = self.judge(&validated);
        if is_best {
            save_model(&self.run.checkpoint(Checkpoint::Best), &state.model, &self.options.config)?;
        }
        state.optimizer.exchange(&mut state.model);
        self.save(state)?;
        progress.end_epoch(&summary(&trained, &validated, is_best));
        Ok(())
    }

    /// Whether this epoch is the best so far; ends the run after too long without a better one.
    fn judge(&mut self, validated: &[(&str, f64)]) -> bool {
        let Monitor { metric, is_maximized } = &self.options.monitor;
        let value = validated.iter().find(|(name, _)| name == metric).map_or(f64::NAN, |(_, value)| *value);
        let progression = &mut self.progression;
        let is_better = |best: f64| if *is_maximized { value > best } else { value < best };
        let is_best = progression.best.is_none_or(|(best, _)| is_better(best));
        if is_best {
            progression.best = Some((value, progression.epoch));
        }
        let since = progression.epoch - progression.best.map_or(0, |(_, epoch)| epoch);
        progression.is_stopped = self.options.patience > 0 && since >= self.options.patience;
        is_best
    }

    fn save(&mut self, state: &mut State<L::Model>) -> Result<(), TrainError> {
        save_state(&self.run.checkpoint(Checkpoint::Last), state, &self.progression, &self.options.config)
    }

    fn end(self, ending: Ending) -> Fitted {
        let (samples, seconds) = self.speed;
        let samples_per_second = if seconds > 0.0 { samples as f64 / seconds } else { 0.0 };
        Fitted { ending, progression: self.progression, samples_per_second }
    }
}

fn summary(trained: &[(&str, f64)], validated: &[(&str, f64)], is_best: bool) -> String {
    let list = |values: &[(&str, f64)]| {
        let shown = values.iter().filter(|(name, _)| *name != "learning_rate");
        shown.map(|(name, value)| format!("{name} {value:.4}")).collect::<Vec<_>>().join(", ")
    };
    let best = if is_best { " (best)" } else { "" };
    format!("train {}; validation {}{best}", list(trained), list(validated))
}
