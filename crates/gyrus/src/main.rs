//! The `gyrus` command line. It holds no arithmetic and knows no task: it calls the library.

mod arguments;
mod commands;
mod failure;
mod memory;
mod output;
mod signals;

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use clap::Parser;
use gyrus::accelerators;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    signals::survive_size_limits();
    panic::set_hook(Box::new(report));
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let output = Output { json: arguments.json };
    let code = match panic::catch_unwind(|| commands::run(arguments.command, output)) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            output.fail(&failure);
            failure.exit_code()
        }
        Err(panic) => {
            let (reason, code) = match said(&*panic).strip_prefix(accelerators::PANIC) {
                Some(reason) if reason.contains("resource exhausted") => (reason, 5),
                Some(reason) => (reason, 1),
                None => ("a defect in gyrus; standard error has more", 1),
            };
            output.error_event(reason, code);
            code
        }
    };
    ExitCode::from(code)
}

/// Prints help, version, or what is wrong with the command.
fn refuse(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    // 0 for help and version, else 2.
    let code = error.exit_code() as u8;
    if let Err(error) = error.print() {
        return ExitCode::from(Failure::from(error).exit_code());
    }
    if code != 0 {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Output { json }.error_event(message, code);
    }
    ExitCode::from(code)
}

/// The message of a panic.
fn said<'a>(payload: &'a (dyn Any + 'static)) -> &'a str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// A panic is a defect: it is for us to mend, not for the user to understand. But for accelerators, which may fail, or
/// have too little memory.
fn report(panic: &PanicHookInfo) {
    let output = Output { json: false };
    let message = said(panic.payload());
    if let Some(reason) = message.strip_prefix(accelerators::PANIC) {
        return output.say(&format!("error: {reason}"));
    }
    let place = panic.location().map(|location| format!(" ({location})")).unwrap_or_default();
    output.say(&format!(
        "error: {message}{place}\nThis is a defect in gyrus, and we are sorry. Please report it, with the command you gave."
    ));
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        output.say(&backtrace.to_string());
    }
}
