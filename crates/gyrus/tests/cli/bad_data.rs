//! Data that nothing can be learned from: exit code 3, a message that names the file, and no run.

use std::fs;

use crate::fixtures::{Outcome, Workplace, write_idx, write_images};

#[track_caller]
fn assert_refused(workplace: &Workplace, data: &str, words: &[&str]) -> Outcome {
    let outcome = workplace.gyrus(&format!("train {data} --epochs 1"));
    outcome.assert_fails(3, words);
    assert!(!workplace.path("runs").exists(), "there is a run without data");
    outcome
}

fn cut(path: &std::path::Path, length: usize) {
    let bytes = fs::read(path).unwrap();
    assert!(bytes.len() > length);
    fs::write(path, &bytes[..length]).unwrap();
}

#[test]
fn a_path_that_is_not_there() {
    assert_refused(&Workplace::new(), "nowhere", &["nowhere", "check the spelling"]);
}

#[test]
fn an_empty_folder() {
    let workplace = Workplace::new();
    fs::create_dir(workplace.path("empty")).unwrap();
    assert_refused(&workplace, "empty", &["empty", "the folder is empty", "IDX files"]);
}

#[test]
fn files_of_no_known_kind() {
    let workplace = Workplace::new();
    fs::create_dir(workplace.path("papers")).unwrap();
    fs::write(workplace.path("papers/thesis.tex"), "text").unwrap();
    assert_refused(&workplace, "papers", &["thesis.tex", "none of the known formats"]);
}

#[test]
fn two_layouts_at_once_are_a_question_to_the_user() {
    let workplace = Workplace::with_data();
    write_images(&workplace.path("data"), &["cats", "dogs"], 2);
    let outcome = workplace.gyrus("train data");
    outcome.assert_fails(2, &["IDX", "one folder a class"]);
}

#[test]
fn one_class_only() {
    let workplace = Workplace::new();
    write_images(&workplace.path("pets"), &["cats"], 12);
    assert_refused(&workplace, "pets", &["fewer than two classes", "cats"]);
}

#[test]
fn a_truncated_png() {
    let workplace = Workplace::new();
    write_images(&workplace.path("pets"), &["cats", "dogs"], 12);
    cut(&workplace.path("pets/dogs/07.png"), 60);
    assert_refused(&workplace, "pets", &["dogs/07.png", "cannot be decoded"]);
    let outcome = workplace.gyrus("data check pets --json");
    outcome.assert_fails(3, &["pets"]);
    let report = &outcome.json()[0];
    assert!(report["passed"] == false && report["errors"][0]["kind"] == "unreadable", "{report}");
}

#[test]
fn a_truncated_idx_file() {
    let workplace = Workplace::with_data();
    cut(&workplace.path("data/train-images-idx3-ubyte"), 5000);
    assert_refused(&workplace, "data", &["train-images-idx3-ubyte", "at byte"]);
}

#[test]
fn labels_without_their_images() {
    let workplace = Workplace::with_data();
    fs::remove_file(workplace.path("data/train-images-idx3-ubyte")).unwrap();
    assert_refused(&workplace, "data", &["train-labels-idx1-ubyte", "train-images-idx3-ubyte"]);
}

#[test]
fn more_labels_than_images() {
    let workplace = Workplace::with_data();
    write_idx(&workplace.path("more"), 99, 24);
    fs::copy(workplace.path("more/train-labels-idx1-ubyte"), workplace.path("data/train-labels-idx1-ubyte")).unwrap();
    assert_refused(&workplace, "data", &["train-labels-idx1-ubyte", "96", "99"]);
}

#[test]
fn a_line_of_a_table_without_its_label() {
    let workplace = Workplace::new();
    let row = |number: usize| {
        let pixels: Vec<String> = (0..16).map(|place| (number * place % 256).to_string()).collect();
        let label = if number == 5 { String::new() } else { (number % 2).to_string() };
        format!("{label},{}\n", pixels.join(","))
    };
    fs::write(workplace.path("table.csv"), (1..20).map(row).collect::<String>()).unwrap();
    assert_refused(&workplace, "table.csv", &["table.csv, line 5", "no label"]);
}

#[test]
fn test_images_among_the_training_images() {
    let workplace = Workplace::with_data();
    for file in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        fs::copy(workplace.path(&format!("data/train-{file}")), workplace.path(&format!("data/t10k-{file}"))).unwrap();
    }
    assert_refused(&workplace, "data", &["test images are training images too", "t10k-images-idx3-ubyte, sample"]);
}

#[test]
fn sound_data_pass() {
    let workplace = Workplace::with_data();
    let outcome = workplace.gyrus("data check data");
    assert!(outcome.code == Some(0) && outcome.stdout.contains("the data passed"), "{outcome:?}");
    let report = workplace.gyrus("data check data --json").last();
    assert!(report["passed"] == true && report["classes"].as_array().unwrap().len() == 3, "{report}");
    workplace.gyrus("data check nowhere").assert_fails(3, &["nowhere"]);
}
