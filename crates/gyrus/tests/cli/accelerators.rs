//! Training, measuring and predicting on an accelerator: XLA's CPU, where it is installed.

#[path = "../../../pjrt/tests/plugin/mod.rs"]
mod plugin;

use crate::fixtures::Workplace;

#[test]
fn every_command_takes_a_device() {
    let Some(plugin) = plugin::plugin() else { return };
    let device = format!("--device pjrt:{}", plugin.path().display());
    let workplace = Workplace::with_data();
    let number = |value: &serde_json::Value, key: &str| value[key].as_f64().unwrap_or_else(|| panic!("{key}: {value}"));
    let here = workplace.train("here", "--augment none").last();
    let there = workplace.train("there", &format!("--augment none {device}")).last();
    let shared = workplace.train("shared", &format!("--augment none {device} --num-devices 4")).last();
    for trained in [&there, &shared] {
        let (loss, expected) = (number(trained, "test/loss"), number(&here, "test/loss"));
        assert!((loss - expected).abs() < 1e-2 * expected, "{loss}, not {expected}");
    }
    // Where it was trained is where it is measured, unless the command says otherwise.
    let losses = ["eval there", "eval there --device cpu", &format!("eval here {device}")].map(|command| {
        let outcome = workplace.gyrus(&format!("{command} --json"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        number(&outcome.last(), "loss")
    });
    let expected = [number(&there, "test/loss"), number(&there, "test/loss"), number(&here, "test/loss")];
    for (loss, expected) in losses.iter().zip(expected) {
        assert!((loss - expected).abs() < 1e-5, "{losses:?}, not {expected:?}");
    }
    let command = format!("eval there --json {device} --num-devices 6");
    let outcome = workplace.gyrus(&command);
    assert!(outcome.code == Some(2) && outcome.stderr.contains("there are 4"), "{outcome:?}");
    let six = workplace.command(&command).env("GYRUS_PJRT_OPTIONS", "cpu_device_count=6").spawn().unwrap();
    let (loss, expected) = (number(&crate::fixtures::finish(six).last(), "loss"), losses[0]);
    assert!((loss - expected).abs() < 1e-5, "{loss}, not {expected}");
    let outcome = workplace.gyrus(&format!("resume there --json {device}"));
    assert!(outcome.code == Some(0) && outcome.last()["event"] == "done", "{outcome:?}");

    let listed = workplace.command("doctor --json").env("GYRUS_PJRT_PLUGIN", plugin.path()).spawn().unwrap();
    let facts = crate::fixtures::finish(listed).last();
    let found = facts["accelerators"].as_array().unwrap().iter().find(|found| found["path"].is_string()).unwrap();
    assert_eq!(found["devices"].as_array().unwrap().len(), 4, "{found}");
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let workplace = Workplace::with_data();
    workplace.gyrus("train data --device abacus").assert_fails(2, &["abacus", "cuda", "pjrt:"]);
    workplace.gyrus("train data --num-devices 2").assert_fails(2, &["num_devices"]);
    workplace.gyrus("train data --device pjrt:/nowhere.so").assert_fails(1, &["/nowhere.so"]);
    workplace.gyrus("train data --device metal").assert_fails(1, &["metal", "pip install"]);
    assert!(!workplace.path("runs").exists(), "a command that cannot be leaves nothing");
}
