//! The commands, a file each.

mod accelerators;
mod data;
mod doctor;
mod eval;
mod explain;
mod predict;
mod resume;
mod runs;
mod train;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use gyrus::Device;
use gyrus::tasks::{self, Layer, Session, Task, TaskError};
use gyrus::train::record::{ProgressMode, RunFolder};

use crate::arguments::{Command, Machine, RunsFolder};
use crate::failure::Failure;
use crate::output::Output;

/// Runs a command; the exit code is what it came to.
pub fn run(command: Command, output: Output) -> Result<u8, Failure> {
    match command {
        Command::Train(arguments) => train::train(*arguments, output),
        Command::Resume(arguments) => resume::resume(arguments, output),
        Command::Eval(arguments) => eval::eval(arguments, output),
        Command::Predict(arguments) => predict::predict(arguments, output),
        Command::Explain(arguments) => explain::explain(arguments, output),
        Command::Runs(command) => runs::runs(command, output),
        Command::Data(command) => data::data(command, output),
        Command::Doctor(arguments) => doctor::doctor(arguments, output),
    }
}

impl Machine {
    /// How many threads compute, if the command says so.
    fn threads(&self) -> Option<usize> {
        self.threads.map(|threads| threads as usize)
    }

    /// Where to compute, if the command says so.
    fn device(&self) -> Result<Option<Device>, Failure> {
        let open = |name: &String| gyrus::open(name, self.num_devices.unwrap_or(1) as usize).map_err(TaskError::from);
        Ok(self.device.as_ref().map(open).transpose()?)
    }

    /// Uses the machine as asked for.
    fn apply(&self) {
        if let Some(threads) = self.threads() {
            gyrus::set_num_threads(threads);
        }
    }
}

/// What a command provides that shows no progress, and that is not asked to stop.
fn session<'a>(runs: &RunsFolder, machine: &Machine, say: &'a (dyn Fn(&str) + Sync)) -> Result<Session<'a>, Failure> {
    static RUNS_ON: AtomicBool = AtomicBool::new(false);
    Ok(Session {
        runs: runs.folder.clone(),
        threads: machine.threads(),
        device: machine.device()?,
        progress: ProgressMode::None,
        interrupted: &RUNS_ON,
        say,
    })
}

/// A run, and the task that it is of.
fn open_run(runs: &Path, name: &str) -> Result<(RunFolder, &'static dyn Task), Failure> {
    let run = RunFolder::open(runs, name)?;
    let config = Layer::from_file(&run.config())?;
    // A run that was moved elsewhere still knows its task.
    let task = config.get("task").and_then(|task| task.as_str()).unwrap_or(run.task()).to_owned();
    Ok((run, tasks::named(&task)?))
}
