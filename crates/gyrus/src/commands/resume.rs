//! `gyrus resume`.

use gyrus::tasks::Session;

use super::open_run;
use super::train::finish;
use crate::arguments::Resume;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals;

pub fn resume(arguments: Resume, output: Output) -> Result<u8, Failure> {
    let (run, task) = open_run(&arguments.runs.folder, &arguments.run)?;
    let session = Session {
        runs: arguments.runs.folder,
        threads: arguments.machine.threads(),
        device: arguments.machine.device()?,
        progress: arguments.progress.mode,
        interrupted: signals::stop_on_request(output),
        say: &|message| output.say(message),
    };
    finish(&task.resume(&run, &session)?, output)
}
