//! The task on a small scale: eight pictures.

use std::fs;
use std::path::Path;

use gyrus_train::record::RunFolder;
use image::GrayImage;

use super::SemanticSegmentation;
use crate::vision::Vision;
use crate::vision::trial::{RUNS_ON, resumes_exactly, session};
use crate::{Config, Evaluation, Finished, Layer, Task, TaskError};

const TASK: &dyn Task = Vision::<SemanticSegmentation>::TASK;

/// Bright discs and grey bars on darkness; a column at the left is of no class that counts.
fn shapes(folder: &Path) {
    for part in ["images", "masks"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    for number in 0..8u32 {
        let class = |x: u32, y: u32| {
            let (dx, dy) = (x as f64 - 9.0 - number as f64, y as f64 - 8.0);
            match (dx * dx + dy * dy < 25.0, (18 + number / 4..22).contains(&y)) {
                _ if x < 2 => 3,
                (true, _) => 1,
                (_, true) => 2,
                _ => 0,
            }
        };
        let name = format!("{number}.png");
        let grey = |x, y| image::Luma([[20u8, 230, 120, 60][class(x, y) as usize] + ((x * 7 + y * 3) % 11) as u8]);
        GrayImage::from_fn(30, 26, grey).save(folder.join("images").join(&name)).unwrap();
        GrayImage::from_fn(30, 26, |x, y| image::Luma([class(x, y)])).save(folder.join("masks").join(&name)).unwrap();
    }
    fs::write(folder.join("classes.txt"), "nothing\ndisc\nbar\nfrost\n").unwrap();
}

const SMALL: [&str; 9] = [
    "validation=0",
    "test=0",
    "batch=8",
    "augment=none",
    "lr=0.005",
    "epochs=40",
    "model=unet-tiny",
    "schedule=constant",
    "ignore=frost",
];

fn train(folder: &Path, settings: &[&str]) -> Result<Finished, TaskError> {
    let data = folder.join("shapes");
    if !data.exists() {
        shapes(&data);
    }
    let data = format!("data={}", data.display());
    let settings: Vec<String> = [data.as_str()].iter().chain(&SMALL).chain(settings).map(|&s| s.to_owned()).collect();
    let layer = Layer::from_settings(&settings).unwrap();
    TASK.train(Config::resolve(TASK.defaults(), &[layer]).unwrap(), &session(folder, &RUNS_ON))
}

#[test]
fn eight_pictures_are_learnt_and_still_known_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    for settings in [
        &["model=unet-tiny"][..],
        &["model=unet-tiny", "dice=0", "class_weights=balanced", "resize=window", "image_size=24", "mirror=true"],
        &["model=deeplab-mobilenet-v2"],
    ] {
        let finished = train(folder.path(), settings).unwrap();
        let run = RunFolder::open(folder.path(), &finished.run.display().to_string()).unwrap();
        let data = folder.path().join("shapes");
        let scores = TASK
            .evaluate(&run, &Evaluation::on(data.display().to_string()), &session(folder.path(), &RUNS_ON))
            .unwrap();
        let (name, miou) = &scores[0];
        assert!(name == "miou" && *miou > 0.9, "{settings:?}: {scores:?}");
        let validated = finished.scores.iter().find(|(name, _)| name == "validation/miou").unwrap().1;
        assert_eq!(validated, *miou, "{settings:?}");
    }
}

#[test]
fn a_run_that_was_interrupted_ends_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    let settings = [&SMALL[..], &["augment=flip,crop"]].concat();
    resumes_exactly(TASK, folder.path(), &data, &settings);
}

#[test]
fn bad_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, said) in [
        ("model=unet-tyni", "unet-tiny"),
        ("dice=-1", "dice"),
        ("class_weights=some", "balanced"),
        ("ignore=frots", "nothing, disc, bar, frost"),
        ("ignore=nothing,disc,bar,frost", "no class is left"),
    ] {
        let error = train(folder.path(), &[setting]).unwrap_err();
        assert!(error.to_string().contains(said), "{setting}: {error}");
        assert_eq!(error.exit_code(), 2, "{setting}: {error}");
    }
    let error = train(folder.path(), &["cross_entropy=0", "dice=0"]).unwrap_err();
    assert!(error.to_string().contains("both 0"), "{error}");
}
