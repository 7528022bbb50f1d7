//! What the model has to beat: the most frequent class, and a linear model trained by the same engine.

use gyrus_data::Split;
use gyrus_metrics::accuracy;
use gyrus_nn::layers::Frozen;
use gyrus_optim::{AdamW, AdamWConfig};
use gyrus_tensor::{Precision, Rng};
use gyrus_train::trainer::{State, compile_step};

use super::{Description, ImageClassification};
use crate::TaskError;
use crate::vision::measure::{ClassTally, Tally};
use crate::vision::{Baseline, CheckedData, Predictor, Settings, VisionTask, measure as measure_on, training_loader};

/// Passes over the training data that the linear model gets.
const EPOCHS: usize = 2;

/// Measures the baselines, of images of one class.
pub fn measure(description: &Description, data: &CheckedData, settings: &Settings) -> Result<Vec<Baseline>, TaskError> {
    let labels = |split| data.dataset.indices(split).iter().filter_map(|&index| data.dataset.label(index));
    let targets: Vec<usize> = labels(Split::Test).collect();
    if targets.is_empty() {
        return Ok(vec![]);
    }
    let mut counts = vec![0usize; description.classes.len()];
    labels(Split::Train).for_each(|label| counts[label] += 1);
    let majority = (0..counts.len()).rev().max_by_key(|&class| counts[class]).unwrap_or(0);
    let majority_accuracy = accuracy(&vec![majority; targets.len()], &targets);
    let name = format!("majority class ({})", description.classes[majority]);
    Ok(vec![
        Baseline { key: "majority_class".into(), name, accuracy: majority_accuracy },
        Baseline { key: "linear".into(), name: "linear model".into(), accuracy: linear(description, data, settings)? },
    ])
}

/// The accuracy of a linear model on the test data.
fn linear(description: &Description, data: &CheckedData, settings: &Settings) -> Result<f64, TaskError> {
    let description = Description { model: "linear".into(), ..description.clone() };
    let settings = Settings { augment: "none".into(), ..settings.clone() };
    let loader = training_loader::<ImageClassification>(&description, &data.dataset, &settings)?;
    let mut rng = Rng::new(settings.seed);
    let model = ImageClassification::build(&description, &mut rng)?;
    let optimizer = Box::new(AdamW::new(&model, AdamWConfig::new(1e-3)));
    let mut state = State { model, optimizer, rng };
    let objective = ImageClassification::objective(&description, &data.dataset);
    let mut step = compile_step(objective, None, Precision::Full);
    let mut tensors = Default::default();
    for epoch in 0..EPOCHS {
        for batch in loader.epoch(epoch, 0) {
            ImageClassification::fill(&description, &batch?, &mut tensors);
            step.call(&mut state, tensors.clone());
        }
    }
    let mut tally = ClassTally::new(description.classes.len());
    let mut predictor = Predictor::<ImageClassification>::new(&description, false);
    let mut model = Frozen::new(state.model, vec![]);
    measure_on(&mut predictor, &mut model, &data.dataset, Split::Test, &mut tally, |_, _| Ok(()))?;
    Ok(tally.scores()[0].1)
}
