//! `gyrus explain`.

use gyrus::tasks::Question;

use super::{open_run, session};
use crate::arguments::Explain;
use crate::failure::Failure;
use crate::output::Output;

pub fn explain(arguments: Explain, output: Output) -> Result<u8, Failure> {
    arguments.machine.apply();
    let (run, task) = open_run(&arguments.runs.folder, &arguments.run)?;
    let say = |message: &str| output.say(message);
    let session = session(&arguments.runs, &arguments.machine, &say)?;
    let Explain { source, method, class, out, check, .. } = arguments;
    let explanation = task.explain(&run, &Question { source, method, class, out, check }, &session)?;
    output.result(|| explanation.json, || explanation.text)?;
    Ok(0)
}
