//! The task on a small scale: eight pictures.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gyrus_train::record::{ProgressMode, RunFolder};
use image::GrayImage;

use super::ImageClassification;
use crate::{Config, Layer, Prediction, Session, Task, TaskError};

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

fn session(runs: &Path, interrupted: &'static AtomicBool) -> Session<'static> {
    Session {
        runs: runs.to_owned(),
        threads: None,
        device: None,
        progress: ProgressMode::None,
        interrupted,
        say: &|_| {},
    }
}

fn config(data: &Path, settings: &[&str]) -> Config {
    let data = format!("data={}", data.display());
    let settings: Vec<String> = [data.as_str()].iter().chain(settings).map(|&text| text.to_owned()).collect();
    let layer = Layer::from_settings(&settings).unwrap();
    Config::resolve(ImageClassification.defaults(), &[layer]).unwrap()
}

static RUNS_ON: AtomicBool = AtomicBool::new(false);

const SMALL: [&str; 7] =
    ["validation=0", "test=0", "batch=8", "augment=none", "lr=0.005", "baseline=false", "schedule=constant"];

#[test]
fn every_model_learns_eight_pictures_and_still_knows_them_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    for model in gyrus_models::CLASSIFICATION {
        let model = format!("model={}", model.name);
        let settings = [&SMALL[..], &["epochs=40", model.as_str()]].concat();
        let session = session(folder.path(), &RUNS_ON);
        let finished = ImageClassification.train(config(&data, &settings), &session).unwrap();
        let run = RunFolder::open(folder.path(), &finished.run.display().to_string()).unwrap();
        let scores = ImageClassification.evaluate(&run, data.to_str(), &session).unwrap();
        assert_eq!(scores[0], ("accuracy".to_owned(), 1.0), "{model}");
        let mut predictions: Vec<Prediction> = vec![];
        let source = data.join("standing");
        ImageClassification.predict(&run, source.to_str().unwrap(), &session, &mut |p| predictions.push(p)).unwrap();
        assert_eq!(predictions.len(), 4);
        assert!(predictions.iter().all(|prediction| prediction.json["class"] == "standing"), "{model}");
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
        ("batch=0", "batch"),
        ("validation=1.5", "validation"),
        ("name=../elsewhere", "elsewhere"),
    ] {
        let settings = [&SMALL[..], &[setting]].concat();
        let error = ImageClassification.train(config(&data, &settings), &session(folder.path(), &RUNS_ON)).unwrap_err();
        assert!(error.to_string().contains(said), "{setting}: {error}");
        assert_eq!(error.exit_code(), 2, "{setting}: {error}");
    }
    assert!(!folder.path().join("image_classification").join("bars-1").exists(), "nothing is left behind");
}

#[test]
fn bad_data_do_not_pass_unless_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bars");
    bars(&data);
    fs::write(data.join("lying").join("4.png"), b"no picture").unwrap();
    let train = |settings: &[&str]| {
        let settings = [&SMALL[..], &["epochs=1"], settings].concat();
        ImageClassification.train(config(&data, &settings), &session(folder.path(), &RUNS_ON))
    };
    let error = train(&[]).unwrap_err();
    assert!(matches!(error, TaskError::Gate(_)) && error.to_string().contains("4.png"), "{error}");
    assert_eq!(error.exit_code(), 3);
}
