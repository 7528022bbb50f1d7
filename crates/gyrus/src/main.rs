//! The `gyrus` command line.

fn main() {}
