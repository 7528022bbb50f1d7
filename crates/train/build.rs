//! Tells the crate which compiler builds it, for the environment record of a run.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if let Ok(output) = Command::new(rustc).arg("--version").output() {
        println!("cargo::rustc-env=GYRUS_RUSTC={}", String::from_utf8_lossy(&output.stdout).trim());
    }
    println!("cargo::rustc-env=GYRUS_TARGET={}", env::var("TARGET").unwrap_or_default());
}
