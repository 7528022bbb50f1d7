//! `gyrus resume`.

use gyrus::tasks::Session;

use super::train::finish;
use super::{open_run, session};
use crate::arguments::Resume;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals;

pub fn resume(arguments: Resume, output: Output) -> Result<u8, Failure> {
    let (run, task) = open_run(&arguments.runs.folder, &arguments.run)?;
    let say = |message: &str| output.say(message);
    let session = Session {
        progress: arguments.progress.mode,
        interrupted: signals::stop_on_request(output),
        ..session(&arguments.runs, &arguments.machine, &say)?
    };
    finish(&task.resume(&run, &session)?, output)
}
