//! The task on a small scale: eight pictures.

use std::fs;
use std::path::Path;

use gyrus_train::record::RunFolder;
use image::{Rgb, RgbImage};

use super::Detection;
use crate::vision::Vision;
use crate::vision::trial::{RUNS_ON, resumes_exactly, session};
use crate::{Config, Evaluation, Layer, Request, Task};

const TASK: &dyn Task = Vision::<Detection>::TASK;

/// Eight pictures of 64x64 pixels in YOLO's layout: red squares and blue discs, one to three a picture, none on the last.
fn shapes(folder: &Path) {
    for part in ["images/train", "labels/train"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let yaml = "path: .\ntrain: images/train\nnames: [square, disc]\n";
    fs::write(folder.join("data.yaml"), yaml).unwrap();
    for number in 0..8u32 {
        let count = if number == 7 { 0 } else { 1 + number % 3 };
        let objects: Vec<(u32, i32, i32, i32)> = (0..count)
            .map(|index| {
                let (column, row) = ((index + number) % 3, index);
                (((number + index) % 2), 11 + 21 * column as i32, 11 + 21 * row as i32, 6 + (number + index) as i32 % 4)
            })
            .collect();
        let color = |x: u32, y: u32| {
            let (x, y) = (x as i32, y as i32);
            for &(class, middle_x, middle_y, radius) in &objects {
                let (dx, dy) = (x - middle_x, y - middle_y);
                let is_inside = match class {
                    0 => dx.abs() <= radius && dy.abs() <= radius,
                    _ => dx * dx + dy * dy <= radius * radius,
                };
                if is_inside {
                    return if class == 0 { Rgb([220, 40, 40]) } else { Rgb([40, 60, 230]) };
                }
            }
            Rgb([120, 130, 120 + number as u8])
        };
        RgbImage::from_fn(64, 64, color).save(folder.join(format!("images/train/{number}.png"))).unwrap();
        let line = |&(class, x, y, radius): &(u32, i32, i32, i32)| {
            let side = f64::from(2 * radius + 1) / 64.0;
            format!("{class} {} {} {side} {side}\n", (f64::from(x) + 0.5) / 64.0, (f64::from(y) + 0.5) / 64.0)
        };
        let labels: String = objects.iter().map(line).collect();
        fs::write(folder.join(format!("labels/train/{number}.txt")), labels).unwrap();
    }
}

fn config(data: &Path, settings: &[&str]) -> Config {
    let data = format!("data={}", data.display());
    let settings: Vec<String> = [data.as_str()].iter().chain(settings).map(|&text| text.to_owned()).collect();
    Config::resolve(TASK.defaults(), &[Layer::from_settings(&settings).unwrap()]).unwrap()
}

const SMALL: [&str; 6] = ["image_size=64", "augment=none", "validation=0", "test=0", "lr=0.003", "schedule=constant"];

#[test]
fn eight_pictures_are_learned_and_still_known_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    let session = session(folder.path(), &RUNS_ON);
    let settings = [&SMALL[..], &["epochs=80", "name=shapes"]].concat();
    TASK.train(config(&data, &settings), &session).unwrap();
    let run = RunFolder::open(folder.path(), "shapes").unwrap();
    let scores = TASK.evaluate(&run, &Evaluation::on(data.display().to_string()), &session).unwrap();
    let score = |name: &str| scores.iter().find(|(known, _)| known == name).unwrap().1;
    assert!(score("map50") > 0.99 && score("map") > 0.6, "{scores:?}");
    assert_eq!(TASK.evaluate(&run, &Evaluation::on(data.display().to_string()), &session).unwrap(), scores);

    let mut lines: Vec<serde_json::Value> = vec![];
    let sources = vec![data.join("images").display().to_string()];
    let request = Request { sources, json: true, ..Request::default() };
    TASK.predict(&run, &request, &session, &mut |line| lines.push(serde_json::from_str(line).unwrap())).unwrap();
    let counts: Vec<usize> = lines.iter().map(|line| line["objects"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [1, 2, 3, 1, 2, 3, 1, 0], "at the confidence that was chosen");
}

#[test]
fn a_run_that_was_interrupted_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    resumes_exactly(TASK, folder.path(), &data, &SMALL);
}

#[test]
fn bad_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    for (setting, said) in [
        ("model=detector-large", "detector-nano"),
        ("finest_stride=6", "finest stride"),
        ("nms_iou=1.5", "nms_iou"),
        ("least_score=-0.1", "least_score"),
        ("max_detections=0", "max_detections"),
        ("box_weight=0.0", "box_weight"),
        ("augment=elastic", "elastic"),
    ] {
        let settings = [&SMALL[..], &[setting]].concat();
        let error = TASK.train(config(&data, &settings), &session(folder.path(), &RUNS_ON)).unwrap_err();
        assert!(error.to_string().contains(said), "{setting}: {error}");
        assert_eq!(error.exit_code(), 2, "{setting}: {error}");
    }
}
