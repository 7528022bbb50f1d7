//! The task on a small scale: eight pictures.

use std::fs;
use std::path::Path;

use gyrus_train::record::{Checkpoint, RunFolder};
use gyrus_train::trainer::read_model;
use image::GrayImage;

use super::ImageClassification;
use crate::vision::Vision;
use crate::vision::trial::{RUNS_ON, session};
use crate::{Config, Evaluation, Layer, Request, Task, TaskError};

/// Two classes of pictures: bars that lie and bars that stand, four each.
fn bars(folder: &Path) {
    for (class, lies) in [("lying", true), ("standing", false)] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for place in 0..4u32 {
            let dot = |x: u32, y: u32| {
                let across = if lies { y } else { x };
                image::Luma([if across.abs_diff(4 + 5 * place) < 2 { 250 } else { 10 + place as u8 }])
            };
            GrayImage::from_fn(24, 24, dot).save(folder.join(class).join(format!("{place}.png"))).unwrap();
        }
    }
}

fn config(data: &Path, settings: &[&str]) -> Config {
    let data = format!("data={}", data.display());
    let settings: Vec<String> = [data.as_str()].iter().chain(settings).map(|&text| text.to_owned()).collect();
    let layer = Layer::from_settings(&settings).unwrap();
    Config::resolve(TASK.defaults(), &[layer]).unwrap()
}

const TASK: &dyn Task = Vision::<ImageClassification>::TASK;

const SMALL: [&str; 7] =
    ["validation=0", "test=0", "batch=8", "augment=none", "lr=0.005", "baseline=false", "schedule=constant"];

#[test]
fn every_model_learns_eight_pictures_and_still_knows_them_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    // The deeper ResNets are more of the same blocks, and take longer than the other models together; the transformer
    // needs more than eight pictures and forty steps.
    let is_quick = |name: &&str| !["resnet34", "resnet50", "vit-tiny"].contains(name);
    for name in gyrus_models::CLASSIFICATION.iter().map(|model| model.name).filter(is_quick) {
        let model = format!("model={name}");
        let settings = [&SMALL[..], &["epochs=40", &model]].concat();
        let session = session(folder.path(), &RUNS_ON);
        let finished = TASK.train(config(&data, &settings), &session).unwrap();
        let run = RunFolder::open(folder.path(), &finished.run.display().to_string()).unwrap();
        let scores = TASK.evaluate(&run, &Evaluation::on(data.display().to_string()), &session).unwrap();
        assert_eq!(scores[0], ("accuracy".to_owned(), 1.0), "{model}");
        let mut lines: Vec<String> = vec![];
        let request = Request { sources: vec![data.join("standing").display().to_string()], ..Request::default() };
        TASK.predict(&run, &request, &session, &mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.contains("png: standing")), "{model} {lines:?}");
    }
}

#[test]
fn bad_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    for (setting, said) in [
        ("model=lenet", "lenet5"),
        ("optimizer=adan", "optimizer"),
        ("augment=heavy", "heavy"),
        ("device=abacus", "device"),
        ("lr=-1.0", "lr"),
        ("layer_decay=2.0", "layer_decay"),
        ("freeze=c9", "c1, c3, c5, f6, output"),
        ("freeze=5", "one must learn"),
        ("batch=0", "batch"),
        ("validation=1.5", "validation"),
        ("name=../elsewhere", "elsewhere"),
    ] {
        let settings = [&SMALL[..], &[setting]].concat();
        let error = TASK.train(config(&data, &settings), &session(folder.path(), &RUNS_ON)).unwrap_err();
        assert!(error.to_string().contains(said), "{setting}: {error}");
        assert_eq!(error.exit_code(), 2, "{setting}: {error}");
    }
    assert!(!folder.path().join("image_classification").join("bars-1").exists(), "nothing is left behind");
}

#[test]
fn a_run_starts_from_another_one_and_keeps_what_is_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    let session = session(folder.path(), &RUNS_ON);
    let train = |settings: &[&str]| {
        let settings = [&SMALL[..], &["model=mlp"], settings].concat();
        TASK.train(config(&data, &settings), &session)
    };
    let weights = |run: &str| {
        let run = RunFolder::open(folder.path(), run).unwrap();
        let file = read_model(&run.checkpoint(Checkpoint::Best)).unwrap();
        ["layers.0.weight", "layers.2.weight"].map(|name| file.tensor(name).unwrap().data.to_vec())
    };
    train(&["epochs=3", "name=first"]).unwrap();
    let [first, last] = weights("first");
    for (name, freeze) in [("by-name", "freeze=layers.0,layers.1"), ("by-number", "freeze=1")] {
        train(&["epochs=3", "init=first", freeze, &format!("name={name}")]).unwrap();
        let [kept, learned] = weights(name);
        assert!(kept == first && learned != last, "{name}");
    }
    train(&["epochs=3", "init=first", "layer_decay=0.5", "name=discriminative"]).unwrap();
    assert!(weights("discriminative")[0] != first);

    let foreign = train(&["model=lenet5", "init=first"]).unwrap_err();
    assert!(foreign.to_string().contains("no tensor fits lenet5"), "{foreign}");
    let nowhere = train(&["init=nowhere"]).unwrap_err();
    assert!(nowhere.to_string().contains("nowhere"), "{nowhere}");
}

#[test]
fn bad_data_do_not_pass_unless_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    fs::write(data.join("lying").join("4.png"), b"no picture").unwrap();
    let train = |settings: &[&str]| {
        let settings = [&SMALL[..], &["epochs=1"], settings].concat();
        TASK.train(config(&data, &settings), &session(folder.path(), &RUNS_ON))
    };
    let error = train(&[]).unwrap_err();
    assert!(matches!(error, TaskError::Gate(_)) && error.to_string().contains("4.png"), "{error}");
    assert_eq!(error.exit_code(), 3);
}

fn score(scores: &[(String, f64)], name: &str) -> f64 {
    scores.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {scores:?}")).1
}

#[test]
fn images_of_any_number_of_classes_are_learned() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    // A picture of each of the two, and one of both.
    let both =
        GrayImage::from_fn(24, 24, |x, y| image::Luma([if x.abs_diff(9) < 2 || y.abs_diff(9) < 2 { 250 } else { 10 }]));
    both.save(data.join("both.png")).unwrap();
    let lines = (0..4).map(|place| format!("lying/{place}.png,lying\nstanding/{place}.png,standing\n"));
    fs::write(data.join("labels.csv"), format!("file,labels\n{}both.png,lying|standing\n", lines.collect::<String>()))
        .unwrap();
    let settings = [&SMALL[..], &["model=mlp", "epochs=60", "batch=9"]].concat();
    let session = session(folder.path(), &RUNS_ON);
    let finished = TASK.train(config(&data.join("labels.csv"), &settings), &session).unwrap();
    assert_eq!(score(&finished.scores, "validation/subset_accuracy"), 1.0, "{:?}", finished.scores);
    let run = RunFolder::open(folder.path(), &finished.run.display().to_string()).unwrap();
    let mut lines: Vec<serde_json::Value> = vec![];
    let request =
        Request { sources: vec![data.join("both.png").display().to_string()], json: true, ..Request::default() };
    TASK.predict(&run, &request, &session, &mut |line| lines.push(serde_json::from_str(line).unwrap())).unwrap();
    let mut classes: Vec<&str> =
        lines[0]["classes"].as_array().unwrap().iter().filter_map(|class| class.as_str()).collect();
    classes.sort_unstable();
    assert_eq!(classes, ["lying", "standing"]);
}

#[test]
fn rare_classes_and_hard_images_count_more_if_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    for place in 1..4 {
        fs::remove_file(data.join("standing").join(format!("{place}.png"))).unwrap();
    }
    let session = session(folder.path(), &RUNS_ON);
    for setting in ["class_weights=balanced", "sampler=balanced", "focal=2", "unfreeze=4", "mirror=true"] {
        let settings = [&SMALL[..], &["model=mlp", "epochs=40", setting]].concat();
        let finished = TASK.train(config(&data, &settings), &session).unwrap();
        assert_eq!(score(&finished.scores, "validation/accuracy"), 1.0, "{setting}: {:?}", finished.scores);
    }
    for setting in ["class_weights=heavy", "sampler=fair", "focal=-1.0", "label_smoothing=1.0"] {
        let settings = [&SMALL[..], &[setting]].concat();
        let error = TASK.train(config(&data, &settings), &session).unwrap_err();
        assert!(error.to_string().contains(setting.split('=').next().unwrap()), "{setting}: {error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn a_few_bad_samples_are_set_aside_if_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    fs::write(data.join("lying").join("4.png"), b"no picture").unwrap();
    let train = |settings: &[&str]| {
        let settings = [&SMALL[..], &["model=mlp", "epochs=1"], settings].concat();
        TASK.train(config(&data, &settings), &session(folder.path(), &RUNS_ON))
    };
    assert!(matches!(train(&["allow_bad=0.1"]), Err(TaskError::Gate(_))), "one of nine is more than a tenth");
    let finished = train(&["allow_bad=0.2"]).unwrap();
    let lock = fs::read_to_string(finished.run.join("data.lock")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let aside = lock["quarantined"].as_array().unwrap();
    assert!(aside.len() == 1 && aside[0].as_str().unwrap().contains("4.png"), "{aside:?}");
}
