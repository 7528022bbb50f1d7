//! What a model starts from: weights of another one, and which of its parts stay as they are.

use gyrus_checkpoint::{Fitting, load_fitting, open_weights};
use gyrus_models::{stage_of, stages};
use gyrus_nn::layers::Frozen;
use gyrus_optim::{Optimizer, Rate, Scaled};
use gyrus_tensor::{Module, Path, Visit, VisitMut};
use gyrus_train::record::{Checkpoint, RunFolder};
use gyrus_train::trainer::read_model;

use super::Settings;
use crate::TaskError;

/// Takes what fits from the file or run that `init` names. Returns what a person should know: how much that was, and
/// what of the rest differs.
pub fn initialise(
    model: &mut impl Module,
    settings: &Settings,
    runs: &std::path::Path,
) -> Result<Option<String>, TaskError> {
    let source = &settings.init;
    if source.is_empty() {
        return Ok(None);
    }
    let weights = match std::path::Path::new(source).is_file() {
        true => open_weights(source)?,
        false => read_model(&RunFolder::open(runs, source)?.checkpoint(Checkpoint::Best))?,
    };
    let mut fitting = load_fitting(&weights, model);
    if fitting.num_taken == 0 {
        // Weights of a model that classifies, for a network that is built on one.
        fitting = load_fitting(&weights, &mut Backbone(model));
    }
    let Fitting { num_taken, rest } = fitting;
    if num_taken == 0 {
        return Err(TaskError::Usage(format!(
            "init = \"{source}\": no tensor fits {}, by name and shape: {rest}; is it of another model?",
            settings.model
        )));
    }
    let rest = if rest.is_empty() { String::new() } else { format!("; of the others {rest}") };
    Ok(Some(format!("init: {num_taken} tensors from {source}{rest}")))
}

/// What is called `backbone` in a network, under the names that it has by itself.
struct Backbone<'a, M>(&'a mut M);

impl<M: Module> Module for Backbone<'_, M> {
    fn walk(&self, path: &mut Path, visit: Visit) {
        self.0.walk(&mut Path::default(), &mut |inner, kind, tensor| {
            if let Some(name) = inner.as_str().strip_prefix("backbone.") {
                path.within(name, |path| visit(path, kind, tensor));
            }
        });
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        self.0.walk_mut(&mut Path::default(), &mut |inner, kind, tensor| {
            if let Some(name) = inner.as_str().strip_prefix("backbone.") {
                path.within(name, |path| visit(path, kind, tensor));
            }
        });
    }
}

/// The model with those parts frozen that `freeze` names, or counts from the input on.
pub fn freeze<M: Module>(model: M, settings: &Settings) -> Result<Frozen<M>, TaskError> {
    let stages = stages(&model);
    let wrong = |reason: String| {
        let known = stages.join(", ");
        Err(TaskError::Usage(format!(
            "freeze = \"{}\": {reason}; {} has the stages {known}",
            settings.freeze, settings.model
        )))
    };
    let parts: Vec<String> = match settings.freeze.trim().parse::<usize>() {
        Ok(count) if count >= stages.len() => {
            return wrong(format!("there are {} stages, one must learn", stages.len()));
        }
        Ok(count) => stages[..count].to_vec(),
        Err(_) => {
            settings.freeze.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        }
    };
    let names: Vec<String> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
    let is_in = |name: &String, part: &String| {
        name.strip_prefix(&**part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if let Some(part) = parts.iter().find(|part| !names.iter().any(|name| is_in(name, part))) {
        return wrong(format!("nothing is called `{part}`"));
    }
    let frozen = Frozen::new(model, parts);
    if frozen.num_parameters() == 0 {
        return wrong("nothing is left to learn".into());
    }
    Ok(frozen)
}

/// The optimizer with a learning rate for each stage: `layer_decay` of that of the stage after it, from the epoch on at
/// which `unfreeze` lets it learn.
pub fn discriminate(
    optimizer: Box<dyn Optimizer>,
    model: &impl Module,
    settings: &Settings,
    steps_per_epoch: u64,
) -> Box<dyn Optimizer> {
    let &Settings { layer_decay, unfreeze, .. } = settings;
    if layer_decay == 1.0 && unfreeze == 0.0 {
        return optimizer;
    }
    let stages = stages(model);
    let rate = |path: &str| {
        let stage = stages.iter().position(|stage| stage == stage_of(path)).unwrap_or(0);
        let from_output = stages.len() - 1 - stage;
        Rate {
            factor: layer_decay.powi(from_output as i32),
            begins: (unfreeze * (from_output as u64 * steps_per_epoch) as f64) as u64,
        }
    };
    Box::new(Scaled::new(optimizer, model, rate))
}
