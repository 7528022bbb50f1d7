//! What all tasks on images have in common: from settings and data to a trained network that is measured, reported and
//! used.
//!
//! A model answers an image by an [`Answer`] of the kind of the targets it has learnt from. How answers are measured,
//! drawn and written depends on their kind alone; a task is what [`VisionTask`] asks for, and nothing else.

mod answer;
mod data;
mod description;
pub mod draw;
pub mod explain;
mod gallery;
mod learner;
pub mod measure;
mod object_data;
mod pixel_mean;
mod predict;
mod predictor;
mod report;
mod settings;
mod sources;
mod task;
mod training;
mod transfer;
#[cfg(test)]
pub mod trial;
pub mod write;

use std::marker::PhantomData;

use gyrus_data::{Dataset, Split, TargetKind};
use gyrus_tensor::{Device, Module};
use gyrus_train::record::RunFolder;
use serde::Serialize;
use toml::Table;

pub use answer::{Answer, Found, best};
pub use data::{CheckedData, training_loader};
pub use description::{Description, Model};
pub use gallery::Galleries;
pub use object_data::ObjectData;
pub use pixel_mean::PixelMean;
pub use predictor::{Predictor, assign, measure};
pub use settings::{Settings, greater_than_zero, one_of};
pub use sources::{Source, sources};
pub use task::{Baseline, Merge, Output, View, VisionTask};

use self::training::Training;
use crate::{Config, Evaluation, Explanation, Finished, Question, Request, Scores, Session, Task, TaskError};

/// A [`VisionTask`] as the command line has it.
pub struct Vision<V>(PhantomData<fn() -> V>);

impl<V: VisionTask> Vision<V> {
    /// The task.
    pub const TASK: &'static dyn Task = &Vision::<V>(PhantomData);
}

impl<V: VisionTask> Task for Vision<V> {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn summary(&self) -> &'static str {
        V::SUMMARY
    }

    fn shipped_data(&self) -> &'static [&'static str] {
        V::SHIPPED
    }

    fn suits(&self, data: &Dataset) -> bool {
        // Of data without a label classes are what is missed first.
        let kind = data.kind().unwrap_or(TargetKind::Class);
        V::KINDS.contains(&kind) && V::suits(data)
    }

    fn defaults(&self) -> Table {
        let mut table = as_table(&V::defaults());
        table.extend(as_table(&V::Options::default()));
        table
    }

    fn train(&self, config: Config, session: &Session) -> Result<Finished, TaskError> {
        Training::<V>::begin(config, session)
    }

    fn resume(&self, run: &RunFolder, session: &Session) -> Result<Finished, TaskError> {
        Training::<V>::resume(run, self.defaults(), session)
    }

    fn evaluate(&self, run: &RunFolder, evaluation: &Evaluation, session: &Session) -> Result<Scores, TaskError> {
        let (description, mut model) = Description::load::<V>(run)?;
        let config = Config::of_run(&run.config(), self.defaults())?;
        let settings: Settings = config.to()?;
        use_threads(&settings, session);
        model.move_to(device(&settings, session)?);
        let data = evaluation.data.as_deref();
        let dataset = match data {
            Some(path) => std::sync::Arc::new(data::open::<V>(path)?.with_classes(description.classes.clone())?),
            None => data::prepare::<V>(&settings, session)?.dataset,
        };
        // The test of other data if there is one, else the whole of them, whatever it is split into; of the run's own the
        // test, else what it was validated on.
        let splits: &[Split] = match data {
            _ if !dataset.indices(Split::Test).is_empty() => &[Split::Test],
            Some(_) => &[Split::Train, Split::Validation],
            None => &[Split::Validation],
        };
        let mut tally = V::tally(&description);
        let mut predictor = Predictor::<V>::new(&description, settings.mirror || evaluation.mirror);
        for &split in splits {
            measure(&mut predictor, &mut model, &dataset, split, &mut *tally, |_, _| Ok(()))?;
        }
        let mut scores = tally.scores();
        if scores.is_empty() {
            return Err(TaskError::Usage("there are no samples to evaluate on; name some with --data".into()));
        }
        let num_samples = splits.iter().map(|&split| dataset.indices(split).len()).sum::<usize>();
        scores.push(("samples".into(), num_samples as f64));
        Ok(scores)
    }

    fn predict(
        &self,
        run: &RunFolder,
        request: &Request,
        session: &Session,
        emit: &mut dyn FnMut(&str),
    ) -> Result<(), TaskError> {
        let (description, mut model) = Description::load::<V>(run)?;
        model.move_to(session.device.unwrap_or_default());
        predict::predict::<V>(&description, &mut model, request, emit)
    }

    fn explain(&self, run: &RunFolder, question: &Question, session: &Session) -> Result<Explanation, TaskError> {
        let (description, model) = Description::load::<V>(run)?;
        explain::explain::<V>(&description, model, question, session.device.unwrap_or_default())
    }
}

fn as_table<T: Serialize>(settings: &T) -> Table {
    Table::try_from(settings).expect("plain settings")
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
