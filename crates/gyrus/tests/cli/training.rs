//! From data to a model that is measured and used.

use std::fs;

use serde_json::Value;

use crate::fixtures::{Workplace, fingerprints, training, write_images};

#[test]
fn training_ends_with_one_line_for_programs() {
    let workplace = Workplace::with_data();
    let outcome = workplace.train("a", "--epochs 4 --seed 1");
    let done = outcome.last();
    assert_eq!(outcome.json().len(), 1, "{}", outcome.stdout);
    assert!(done["event"] == "done" && done["run"] == "runs/image_classification/a", "{done}");
    assert!(done["test/accuracy"].as_f64().unwrap() > 0.9, "{done}");
    assert!(outcome.stderr.contains("IDX") && outcome.stderr.contains("→ image_classification"), "{}", outcome.stderr);
    for file in ["config.toml", "env.json", "data.lock", "metrics.jsonl", "report.html", "README.md"] {
        assert!(workplace.run("a").join(file).is_file(), "{file}");
    }
}

#[test]
fn training_ends_with_a_table_for_people() {
    let workplace = Workplace::with_data();
    let outcome = workplace.gyrus("train data --epochs 1 --batch 8 --progress none");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.starts_with("test/accuracy"), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("run  runs/image_classification/data-1\n"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("baseline"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}'), "no terminal, no colours: {}", outcome.stderr);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let workplace = Workplace::with_data();
    workplace.train("one", "--threads 1 --seed 3");
    workplace.train("two", "--threads 2 --seed 3");
    workplace.train("again", "--threads 2 --seed 3");
    workplace.train("other", "--threads 2 --seed 4");
    let of = |name: &str| fingerprints(&workplace.run(name));
    assert_eq!(of("one"), of("two"));
    assert_eq!(of("two"), of("again"));
    assert_ne!(of("two")[0], of("other")[0]);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let workplace = Workplace::new();
    write_images(&workplace.path("data"), &["cats", "dogs"], 20);
    let outcome = workplace.gyrus(&training("a", "--lr 1e30 --epochs 5"));
    outcome.assert_fails(4, &["step", "epoch", "tensor", "data/", ".png", "learning rate"]);
    assert_eq!(outcome.last()["code"], 4);
}

#[test]
fn a_gate_that_a_model_passes_or_not() {
    let workplace = Workplace::with_data();
    workplace.train("a", "--epochs 4 --seed 1");
    let outcome = workplace.gyrus("eval a --json --min accuracy=0.5 --min loss=0");
    assert!(outcome.code == Some(0) && outcome.last()["accuracy"].as_f64().unwrap() > 0.9, "{outcome:?}");
    let outcome = workplace.gyrus("eval a --min accuracy=0.5 --min accuracy=1.5");
    outcome.assert_fails(6, &["accuracy", "below 1.5"]);
    assert!(outcome.stdout.contains("accuracy"), "{outcome:?}");
    workplace.gyrus("eval a --min recal=0.5").assert_fails(2, &["recal", "accuracy"]);
}

#[test]
fn other_data_are_measured_too() {
    let workplace = Workplace::with_data();
    workplace.train("a", "--epochs 4 --seed 1");
    write_images(&workplace.path("more"), &["0", "1", "2"], 10);
    let scores = workplace.gyrus("eval a --data more --json").last();
    assert!(scores["samples"] == 30.0 && scores["accuracy"].as_f64().unwrap() > 0.8, "{scores}");
    write_images(&workplace.path("unknown"), &["0", "7"], 2);
    workplace.gyrus("eval a --data unknown").assert_fails(3, &["\"7\"", "0, 1, 2"]);
    workplace.gyrus("eval a --data nowhere").assert_fails(3, &["nowhere"]);
}

#[track_caller]
fn assert_is_prediction(prediction: &Value, source: &str) {
    let probabilities = prediction["probabilities"].as_object().unwrap();
    let sum: f64 = probabilities.values().map(|probability| probability.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5 && probabilities.len() == 3, "{prediction}");
    assert!(prediction["source"].as_str().unwrap().ends_with(source), "{prediction}");
}

#[test]
fn predictions_of_a_file_a_folder_and_standard_input() {
    let workplace = Workplace::with_data();
    workplace.train("a", "--epochs 4 --seed 1");
    write_images(&workplace.path("new"), &["1"], 3);

    let outcome = workplace.gyrus("predict a new/1/00.png --json");
    assert_eq!((outcome.code, outcome.json().len()), (Some(0), 1), "{outcome:?}");
    assert_is_prediction(&outcome.last(), "00.png");
    // `write_images` draws its first class like class 0 of `data`.
    assert_eq!(outcome.last()["class"], "0");

    let outcome = workplace.gyrus("predict a new --json");
    assert_eq!((outcome.code, outcome.json().len()), (Some(0), 3), "{outcome:?}");
    for (prediction, name) in outcome.json().iter().zip(["00.png", "01.png", "02.png"]) {
        assert_is_prediction(prediction, name);
    }

    let bytes = fs::read(workplace.path("new/1/00.png")).unwrap();
    let outcome = workplace.gyrus_with_input("predict a - --json", &bytes);
    assert_is_prediction(&outcome.last(), "-");
    assert_eq!(outcome.last()["probabilities"], workplace.gyrus("predict a new --json").json()[0]["probabilities"]);

    let outcome = workplace.gyrus("predict a new/1/00.png");
    assert!(outcome.stdout.starts_with("new/1/00.png: 0 "), "{}", outcome.stdout);
}

#[test]
fn what_cannot_be_predicted() {
    let workplace = Workplace::with_data();
    workplace.train("a", "");
    write_images(&workplace.path("new"), &["1"], 3);
    fs::write(workplace.path("new/1/01.png"), "junk").unwrap();
    // One broken file does not keep the others from being used.
    let outcome = workplace.gyrus("predict a new --json");
    outcome.assert_fails(3, &["01.png", "cannot be decoded"]);
    assert_eq!(outcome.json().iter().filter(|line| line["source"].is_string()).count(), 2);
    workplace.gyrus("predict a nowhere").assert_fails(3, &["nowhere"]);
    workplace.gyrus_with_input("predict a -", b"junk").assert_fails(3, &["standard input"]);
    workplace.gyrus("predict b new").assert_fails(2, &["no run `b`"]);
}
