//! The project's own chores: benchmarks, and the tidy checks that run with the tests.

mod bench;
#[cfg(test)]
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo run --release -p xtask -- COMMAND

  bench [FILTER] [OPTION]...    times the workloads, as the peers' scripts do
  bench-table FILE...           makes a Markdown table of measurements";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((command, rest)) if command == "bench" => bench::run(rest),
        Some((command, rest)) if command == "bench-table" => bench::table::run(rest),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
