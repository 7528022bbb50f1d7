//! Checkpoints and disks that fail: exit code 1, a message that names the file, and nothing lost.

use std::fs;
use std::process::Command;

use crate::fixtures::{Workplace, fingerprints, training};

const MODEL: &str = "checkpoints/best/model.safetensors";

#[test]
fn a_truncated_checkpoint() {
    let workplace = Workplace::with_data();
    workplace.train("a", "");
    let model = workplace.run("a").join(MODEL);
    let bytes = fs::read(&model).unwrap();
    for length in [bytes.len() - 1, bytes.len() / 2, 9, 0] {
        fs::write(&model, &bytes[..length]).unwrap();
        workplace.gyrus("eval a").assert_fails(1, &["best/model.safetensors"]);
        workplace.gyrus("predict a data").assert_fails(1, &["best/model.safetensors"]);
    }
    fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    workplace.gyrus("eval a").assert_fails(1, &["cut short"]);
}

#[test]
fn the_checkpoint_of_another_model() {
    let workplace = Workplace::with_data();
    workplace.train("a", "");
    workplace.train("b", "--model mlp");
    fs::copy(workplace.run("b").join(MODEL), workplace.run("a").join(MODEL)).unwrap();
    workplace.gyrus("eval a").assert_fails(1, &["best/model.safetensors", "another model"]);
}

#[test]
fn a_run_without_a_checkpoint() {
    let workplace = Workplace::with_data();
    workplace.train("a", "");
    fs::remove_dir_all(workplace.run("a").join("checkpoints")).unwrap();
    workplace.gyrus("eval a").assert_fails(1, &["checkpoints/best"]);
}

#[test]
fn a_name_that_is_taken() {
    let workplace = Workplace::with_data();
    workplace.train("a", "");
    let before = fingerprints(&workplace.run("a"));
    workplace.gyrus(&training("a", "--seed 9")).assert_fails(2, &["image_classification/a", "--name"]);
    assert_eq!(fingerprints(&workplace.run("a")), before);
}

#[test]
fn a_folder_of_runs_that_cannot_be_written() {
    let workplace = Workplace::with_data();
    // Not by permissions, which do not hold for every user.
    fs::write(workplace.path("runs"), "a file").unwrap();
    workplace.gyrus(&training("a", "")).assert_fails(1, &["cannot write runs/image_classification"]);
    workplace.gyrus(&training("a", "--runs /proc/runs")).assert_fails(1, &["cannot write /proc/runs"]);
}

#[test]
#[cfg(unix)]
fn a_limit_on_file_sizes_while_saving() {
    let workplace = Workplace::with_data();
    let outcome = workplace.shell(&format!("ulimit -f 100; exec \"$0\" {}", training("a", "")));
    outcome.assert_fails(1, &["cannot write", "checkpoints", "ulimit -f"]);
    // With more room the run is completed as if nothing had been.
    let resumed = workplace.gyrus("resume a --json");
    assert!(resumed.code == Some(0) && resumed.last()["event"] == "done", "{resumed:?}");
    workplace.train("b", "");
    assert_eq!(fingerprints(&workplace.run("a")), fingerprints(&workplace.run("b")));
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_while_saving() {
    let workplace = Workplace::with_data();
    let small = workplace.path("small");
    fs::create_dir(&small).unwrap();
    let allowed = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(&small).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this system lets no user mount a tmpfs in a namespace of their own");
        return;
    }
    // Room for the first checkpoint and not for the one that is to replace it.
    let train = training("a", "--runs small --epochs 3");
    let script = format!(
        "unshare -rm sh -c 'mount -t tmpfs -o size=1200k none small; \"$0\" {train}; code=$?;
         \"$0\" eval a --runs small >&2; exit $code' \"$0\""
    );
    let outcome = workplace.shell(&script);
    outcome.assert_fails(1, &["cannot write small/image_classification/a", "free some space"]);
    assert_eq!(outcome.last()["code"], 1);
    // What had been saved before is whole.
    assert!(outcome.stderr.contains("accuracy"), "{outcome:?}");
}
