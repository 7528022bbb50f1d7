//! What the tests of all tasks on images check.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gyrus_train::record::{ProgressMode, RunFolder};

use crate::{Config, Layer, Session, Task};

/// Nobody wants training to stop.
pub static RUNS_ON: AtomicBool = AtomicBool::new(false);
/// Somebody wants training to stop, from its first step on.
pub static STOPS: AtomicBool = AtomicBool::new(true);

/// What a quiet command provides.
pub fn session(runs: &Path, interrupted: &'static AtomicBool) -> Session<'static> {
    Session {
        runs: runs.to_owned(),
        threads: None,
        device: None,
        progress: ProgressMode::None,
        interrupted,
        say: &|_| {},
    }
}

/// A run that is interrupted after its first step, and resumed, leaves the bytes of one that is not.
pub fn resumes_exactly(task: &dyn Task, folder: &Path, data: &Path, settings: &[&str]) {
    let config = |name: &str| {
        let own = [format!("data={}", data.display()), format!("name={name}"), "epochs=2".into(), "batch=3".into()];
        let all: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).chain(own).collect();
        Config::resolve(task.defaults(), &[Layer::from_settings(&all).unwrap()]).unwrap()
    };
    task.train(config("whole"), &session(folder, &RUNS_ON)).unwrap();
    assert!(task.train(config("parts"), &session(folder, &STOPS)).unwrap().is_interrupted);
    let [whole, parts] = ["whole", "parts"].map(|name| RunFolder::open(folder, name).unwrap());
    task.resume(&parts, &session(folder, &RUNS_ON)).unwrap();
    for file in ["checkpoints/last/model.safetensors", "checkpoints/last/optimizer.safetensors", "metrics.jsonl"] {
        let [whole, parts] = [&whole, &parts].map(|run| fs::read(run.path().join(file)).unwrap());
        assert!(whole == parts, "{file}");
    }
}
