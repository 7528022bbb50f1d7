//! `gyrus predict`.

use gyrus::tasks::Request;
use std::process;

use super::{open_run, session};
use crate::arguments::Predict;
use crate::failure::Failure;
use crate::output::Output;

pub fn predict(arguments: Predict, output: Output) -> Result<u8, Failure> {
    arguments.machine.apply();
    let (run, task) = open_run(&arguments.runs.folder, &arguments.run)?;
    let say = |message: &str| output.say(message);
    let session = session(&arguments.runs, &arguments.machine, &say)?;
    let request = Request {
        sources: arguments.sources,
        formats: arguments.format,
        folder: arguments.out,
        json: output.json,
        confidence: arguments.confidence,
        mirror: arguments.mirror,
    };
    task.predict(&run, &request, &session, &mut |line| {
        if let Err(error) = output.line(line) {
            // Without a reader there is no use in going on.
            let failure = Failure::from(error);
            output.fail(&failure);
            process::exit(failure.exit_code().into());
        }
    })?;
    Ok(0)
}
