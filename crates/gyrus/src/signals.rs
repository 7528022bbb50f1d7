//! Requests to stop, and limits of the system that must not kill.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::Output;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Lets training save and end when it is asked to (Ctrl-C, SIGTERM, SIGHUP); whoever asks twice does not want to
/// wait. The flag that is returned becomes true with the first request.
pub fn stop_on_request(output: Output) -> &'static AtomicBool {
    // Whoever ignores a hang-up (`nohup`) wants training to outlive the terminal.
    #[cfg(unix)]
    let ignores_hang_up = ignore(libc::SIGHUP) == libc::SIG_IGN;
    let handler = move || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        output.say("stopping after this step, and saving; ask again to stop at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        output.say(&format!("warning: training cannot be interrupted without loss: {error}"));
    }
    #[cfg(unix)]
    if ignores_hang_up {
        ignore(libc::SIGHUP);
    }
    &REQUESTED
}

/// A write beyond the limit of file sizes becomes an error like any other.
pub fn survive_size_limits() {
    #[cfg(unix)]
    ignore(libc::SIGXFSZ);
}

/// What was done at the signal before.
#[cfg(unix)]
fn ignore(signal: libc::c_int) -> libc::sighandler_t {
    // SAFETY: ignoring runs no code of ours in a handler.
    unsafe { libc::signal(signal, libc::SIG_IGN) }
}
