//! What the model has to beat: the most frequent class, and a linear model trained by the same engine.

use gyrus_data::Split;
use gyrus_metrics::accuracy;
use gyrus_optim::{AdamW, AdamWConfig};
use gyrus_tensor::{Precision, Rng};
use gyrus_train::trainer::{Learner, State, compile_step};
use serde::{Deserialize, Serialize};

use super::Settings;
use super::classifier::{Description, Model, classify};
use super::data::{CheckedData, evaluation_loader, training_loader};
use super::learner::ImageLearner;
use crate::TaskError;

/// The accuracy of a simple method on the test data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The method, for programs.
    pub key: String,
    /// The method, for people.
    pub name: String,
    /// The share of test samples that it classifies correctly.
    pub accuracy: f64,
}

/// Passes over the training data that the linear model gets.
const EPOCHS: usize = 2;

/// Measures the baselines.
pub fn measure(data: &CheckedData, settings: &Settings, description: &Description) -> Result<Vec<Baseline>, TaskError> {
    let Some(test) = evaluation_loader(&data.dataset, &data.preprocess, Split::Test)? else { return Ok(vec![]) };
    let labels = |split| data.dataset.indices(split).iter().filter_map(|&index| data.dataset.label(index));
    let mut counts = vec![0usize; description.classes.len()];
    labels(Split::Train).for_each(|label| counts[label] += 1);
    let majority = (0..counts.len()).rev().max_by_key(|&class| counts[class]).unwrap_or(0);
    let targets: Vec<usize> = labels(Split::Test).collect();
    let majority_accuracy = accuracy(&vec![majority; targets.len()], &targets);

    let mut model = linear(data, settings, description)?;
    let answers = classify().answers(&mut model, &test)?;
    let name = format!("majority class ({})", description.classes[majority]);
    Ok(vec![
        Baseline { key: "majority_class".into(), name, accuracy: majority_accuracy },
        Baseline {
            key: "linear".into(),
            name: "linear model".into(),
            accuracy: accuracy(&answers.predicted(), &answers.targets),
        },
    ])
}

fn linear(data: &CheckedData, settings: &Settings, description: &Description) -> Result<Model, TaskError> {
    let settings = Settings { augment: "none".into(), ..settings.clone() };
    let training = training_loader(data, &settings)?;
    let validation = training_loader(data, &settings)?;
    let learner = ImageLearner { training, validation, classify: classify(), label_smoothing: 0.0 };
    let mut rng = Rng::new(settings.seed);
    let model = Description { model: "linear".into(), ..description.clone() }.build(&mut rng)?;
    let optimizer = Box::new(AdamW::new(&model, AdamWConfig::new(1e-3)));
    let mut state = State { model, optimizer, rng };
    let mut step = compile_step(learner.objective(), None, Precision::Full);
    let mut tensors = None;
    for epoch in 0..EPOCHS {
        for batch in learner.batches(epoch, 0) {
            learner.fill(&batch?, &mut tensors);
            step.call(&mut state, tensors.clone().expect("just filled"));
        }
    }
    Ok(state.model)
}
