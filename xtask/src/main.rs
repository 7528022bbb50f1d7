//! The project's own chores: tidy checks, benchmarks.

fn main() {}
