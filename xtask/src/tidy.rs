//! The project's rules as tests.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates, lowest first: each may depend on those before it only.
const ORDER: [&str; 16] = [
    "graph",
    "cpu",
    "pjrt",
    "tensor",
    "nn-derive",
    "nn",
    "optim",
    "geometry",
    "metrics",
    "draw",
    "data",
    "checkpoint",
    "train",
    "models",
    "tasks",
    "gyrus",
];

/// A reader gets lost in longer files.
const MAX_LINES: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// All files of an ending below a folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    [files(&root().join("crates"), ".rs"), files(&root().join("xtask"), ".rs")].concat()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_none(rule: &str, breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn dependencies_point_one_way() {
    let mut breaches = vec![];
    for (place, name) in ORDER.iter().enumerate() {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        let normal = manifest.split("[dev-dependencies]").next().expect("a part");
        for (above, other) in ORDER.iter().enumerate() {
            let depends = normal.lines().any(|line| line.starts_with(&format!("gyrus-{other}.workspace")));
            if depends && above >= place {
                breaches.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    let folders = fs::read_dir(root().join("crates")).expect("crates").count();
    assert_eq!(folders, ORDER.len(), "every crate has its place in the order");
    assert_none("dependencies point one way", breaches);
}

#[test]
fn files_are_short() {
    let long = |path: &PathBuf| {
        let lines = read(path).lines().count();
        (lines > MAX_LINES).then(|| format!("{}: {lines} lines", path.display()))
    };
    assert_none("files have at most 800 lines", sources().iter().filter_map(long).collect());
}

#[test]
fn files_say_what_they_are_for() {
    // Private modules may let their items speak.
    let silent = |path: &&PathBuf| {
        let text = read(path);
        let begins = text.trim_start();
        !begins.starts_with("//!") && !begins.lines().take(60).any(|line| line.trim_start().starts_with("///"))
    };
    let tests = |path: &&PathBuf| !path.to_string_lossy().contains("test");
    let breaches = sources();
    let breaches = breaches.iter().filter(tests).filter(silent).map(|path| path.display().to_string()).collect();
    assert_none("a file begins with what it is for", breaches);
}

#[test]
fn unsafe_code_is_where_memory_is() {
    let allowed = [
        "crates/cpu/",
        "crates/pjrt/src/runtime/",
        "crates/graph/src/buffer",
        "crates/tensor/src/compile/cpu.rs",
        // The process's allocator and signals.
        "crates/gyrus/src/memory.rs",
        "crates/gyrus/src/signals.rs",
    ];
    let marker = ["unsafe", " {"].concat();
    let breach = |path: &PathBuf| {
        let name = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        let is_exempt = allowed.iter().any(|prefix| name.starts_with(prefix)) || name.contains("test");
        (!is_exempt && read(path).contains(&marker)).then_some(name)
    };
    assert_none("unsafe code is in kernels and memory only", sources().iter().filter_map(breach).collect());
}

/// Every operation of the registry has cases, or is covered by those of the operation it is the gradient of.
#[test]
fn operations_have_cases() {
    let registry = read(&root().join("crates/graph/src/ops/mod.rs"));
    let table = registry.split("operations! {").nth(1).expect("the registry");
    let covered_elsewhere = ["Leaf", "Iota", "ConvolutionInputGrad", "ConvolutionWeightGrad"];
    let lines = table.lines().map(str::trim).filter(|line| line.ends_with(',') && line.contains('('));
    let breaches: Vec<String> = lines
        .filter(|line| !line.contains(" cases "))
        .filter(|line| !covered_elsewhere.iter().any(|name| line.starts_with(&format!("{name}("))))
        .map(str::to_owned)
        .collect();
    assert_none("every operation has test cases", breaches);
}

/// Public functions of the tensor crate are shown or tested: their names occur in a doc example or a test.
#[test]
fn tensor_operations_are_tested() {
    let folder = root().join("crates/tensor");
    let sources: Vec<String> = files(&folder.join("src"), ".rs").iter().map(|path| read(path)).collect();
    let mut used: String = files(&folder.join("tests"), ".rs").iter().map(|path| read(path)).collect();
    for source in &sources {
        used.extend(source.lines().filter(|line| line.trim_start().starts_with("///")).map(|line| format!("{line}\n")));
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for source in &sources {
        for line in source.lines().filter_map(|line| line.trim_start().strip_prefix("pub fn ")) {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            *counts.entry(name).or_default() += 1;
        }
    }
    let calls = |name: &str| [".", "::", " ", "(", "!"].iter().any(|before| used.contains(&format!("{before}{name}(")));
    let mut breaches: Vec<String> = counts.into_keys().filter(|name| !calls(name)).collect();
    breaches.sort();
    assert_none("every public operation has an example or a test", breaches);
}

#[test]
fn nothing_is_left_for_later() {
    let markers =
        [["todo", "!("].concat(), ["FIX", "ME"].concat(), ["unimple", "mented!()"].concat(), ["TO", "DO:"].concat()];
    let breach = |path: &PathBuf| {
        let text = read(path);
        markers.iter().find(|marker| text.contains(*marker)).map(|marker| format!("{}: {marker}", path.display()))
    };
    assert_none("nothing is left for later", sources().iter().filter_map(breach).collect());
}
