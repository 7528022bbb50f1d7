//! `gyrus explain`.

use std::sync::atomic::AtomicBool;

use gyrus::tasks::{Question, Session};
use gyrus::train::record::ProgressMode;

use super::open_run;
use crate::arguments::Explain;
use crate::failure::Failure;
use crate::output::Output;

pub fn explain(arguments: Explain, output: Output) -> Result<u8, Failure> {
    arguments.machine.apply();
    let (run, task) = open_run(&arguments.runs.folder, &arguments.run)?;
    let session = Session {
        runs: arguments.runs.folder,
        threads: arguments.machine.threads(),
        device: arguments.machine.device()?,
        progress: ProgressMode::None,
        interrupted: &AtomicBool::new(false),
        say: &|message| output.say(message),
    };
    let Explain { source, method, class, out, check, .. } = arguments;
    let explanation = task.explain(&run, &Question { source, method, class, out, check }, &session)?;
    output.result(|| explanation.json, || explanation.text)?;
    Ok(0)
}
