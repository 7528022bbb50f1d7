//! What of a run's state is kept on the disk, and how.
//!
//! `best/` holds the model; `last/` holds in addition all that a resumed run needs to continue to the same
//! bits: optimizer, random numbers and [`Progression`]. Each is replaced as a whole.

use std::collections::BTreeMap;

use gyrus_checkpoint::{AtomicFolder, SafetensorsFile, load_module, write_module};
use gyrus_nn_derive::Module;
use gyrus_optim::Optimizer;
use gyrus_tensor::{Kind, Module, Path, Rng, Tensor};

use super::{Progression, State, TrainError};

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const PROGRESSION: &str = "progression.json";
/// What the task needs to build the model again.
const CONFIG: &str = "config.json";

/// Writes a model and its configuration.
///
/// # Errors
/// [`TrainError::Checkpoint`]; what was there before is then still there.
pub fn save_model(
    folder: &AtomicFolder,
    model: &(impl Module + ?Sized),
    config: &serde_json::Value,
) -> Result<(), TrainError> {
    folder.replace(|files| {
        files.write(MODEL, |file| write_module(file, model, &metadata()))?;
        files.write(CONFIG, |file| file.write_all(pretty(config).as_bytes()))
    })?;
    Ok(())
}

/// Reads a model into one of the same structure.
///
/// # Errors
/// [`TrainError::Checkpoint`] if a file is missing or damaged, or its tensors are those of another model.
pub fn load_model(folder: &AtomicFolder, model: &mut (impl Module + ?Sized)) -> Result<(), TrainError> {
    load_module(&read_model(folder)?, model)?;
    Ok(())
}

/// The tensors of a checkpoint's model.
///
/// # Errors
/// [`TrainError::Checkpoint`] if the file is missing or damaged.
pub fn read_model(folder: &AtomicFolder) -> Result<SafetensorsFile, TrainError> {
    let mut files = folder.read(&[MODEL])?;
    let bytes = files.remove(MODEL).unwrap_or_default();
    Ok(SafetensorsFile::from_bytes(folder.path().join(MODEL), bytes)?)
}

/// What of the state is not the model.
#[derive(Module)]
struct Rest<'a> {
    optimizer: Borrowed<'a>,
    rng: RngRef<'a>,
}

struct Borrowed<'a>(&'a mut dyn Optimizer);
struct RngRef<'a>(&'a mut Rng);

macro_rules! through_reference {
    ($($type:ident)*) => {$(
        impl Module for $type<'_> {
            fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &Tensor)) {
                self.0.walk(path, visit);
            }

            fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &mut Tensor)) {
                self.0.walk_mut(path, visit);
            }
        }
    )*};
}

through_reference! { Borrowed RngRef }

fn rest<M: Module>(state: &mut State<M>) -> Rest<'_> {
    Rest { optimizer: Borrowed(&mut *state.optimizer), rng: RngRef(&mut state.rng) }
}

pub(super) fn save_state<M: Module>(
    folder: &AtomicFolder,
    state: &mut State<M>,
    progression: &Progression,
    config: &serde_json::Value,
) -> Result<(), TrainError> {
    let progression = serde_json::to_value(progression).expect("plain numbers");
    folder.replace(|files| {
        files.write(MODEL, |file| write_module(file, &state.model, &metadata()))?;
        files.write(OPTIMIZER, |file| write_module(file, &rest(state), &metadata()))?;
        files.write(PROGRESSION, |file| file.write_all(pretty(&progression).as_bytes()))?;
        files.write(CONFIG, |file| file.write_all(pretty(config).as_bytes()))
    })?;
    Ok(())
}

pub(super) fn load_state<M: Module>(folder: &AtomicFolder, state: &mut State<M>) -> Result<Progression, TrainError> {
    let mut files = folder.read(&[MODEL, OPTIMIZER, PROGRESSION])?;
    let mut open = |name: &str| {
        let bytes = files.remove(name).unwrap_or_default();
        SafetensorsFile::from_bytes(folder.path().join(name), bytes)
    };
    let (model, others) = (open(MODEL)?, open(OPTIMIZER)?);
    let progression = serde_json::from_slice(&files[PROGRESSION]).map_err(|error| TrainError::Foreign {
        path: folder.path().join(PROGRESSION).display().to_string(),
        reason: error.to_string(),
    })?;
    load_module(&model, &mut state.model)?;
    load_module(&others, &mut rest(state))?;
    Ok(progression)
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn metadata() -> BTreeMap<String, String> {
    BTreeMap::from([("format".to_owned(), "pt".to_owned()), ("generator".to_owned(), "gyrus".to_owned())])
}
