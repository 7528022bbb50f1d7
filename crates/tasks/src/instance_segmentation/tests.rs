//! The task on a small scale: eight pictures.

use std::fs;
use std::path::Path;

use gyrus_geometry::RunLengthMask;
use gyrus_train::record::RunFolder;
use image::{Rgb, RgbImage};

use super::InstanceSegmentation;
use crate::vision::Vision;
use crate::vision::trial::{RUNS_ON, resumes_exactly, session};
use crate::{Config, Evaluation, Layer, Request, Task};

const TASK: &dyn Task = Vision::<InstanceSegmentation>::TASK;

/// Eight pictures of 96x96 pixels in YOLO's layout: a red square and a blue diamond each, with their outlines.
fn shapes(folder: &Path) {
    for part in ["images/train", "labels/train"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    fs::write(folder.join("data.yaml"), "path: .\ntrain: images/train\nnames: [square, diamond]\n").unwrap();
    for number in 0..8i32 {
        let radius = 12 + number;
        let (square, diamond) = ((22 + 3 * number, 24), (70 - 3 * number, 70));
        let color = |x: u32, y: u32| {
            let from = |(middle_x, middle_y): (i32, i32)| ((x as i32 - middle_x).abs(), (y as i32 - middle_y).abs());
            let (in_square, in_diamond) = (from(square), from(diamond));
            match () {
                () if in_square.0.max(in_square.1) <= radius => Rgb([220, 40, 40]),
                () if in_diamond.0 + in_diamond.1 <= radius => Rgb([40, 60, 230]),
                () => Rgb([120, 130, 120 + number as u8]),
            }
        };
        RgbImage::from_fn(96, 96, color).save(folder.join(format!("images/train/{number}.png"))).unwrap();
        let outline = |class: usize, (x, y): (i32, i32), corners: [(f64, f64); 4]| {
            let radius = f64::from(radius) + 0.5;
            let share = |middle: i32, step: f64| (f64::from(middle) + 0.5 + step * radius) / 96.0;
            let points = corners.map(|(dx, dy)| format!("{} {}", share(x, dx), share(y, dy)));
            format!("{class} {}\n", points.join(" "))
        };
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let points = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)];
        let labels = outline(0, square, corners) + &outline(1, diamond, points);
        fs::write(folder.join(format!("labels/train/{number}.txt")), labels).unwrap();
    }
}

fn config(data: &Path, settings: &[&str]) -> Config {
    let data = format!("data={}", data.display());
    let common = ["image_size=96", "augment=none", "validation=0", "test=0", "lr=0.003", "schedule=constant"];
    let settings: Vec<String> =
        [data.as_str()].iter().chain(&common).chain(settings).map(|&text| text.to_owned()).collect();
    Config::resolve(TASK.defaults(), &[Layer::from_settings(&settings).unwrap()]).unwrap()
}

#[test]
fn eight_pictures_are_learned_and_still_known_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    let session = session(folder.path(), &RUNS_ON);
    for (setting, said) in [("mask_weight=0", "mask_weight"), ("num_prototypes=0", "num_prototypes")] {
        let error = TASK.train(config(&data, &[setting]), &session).unwrap_err();
        assert!(error.to_string().contains(said) && error.exit_code() == 2, "{error}");
    }

    TASK.train(config(&data, &["epochs=80", "name=shapes"]), &session).unwrap();
    let run = RunFolder::open(folder.path(), "shapes").unwrap();
    let scores = TASK.evaluate(&run, &Evaluation::on(data.display().to_string()), &session).unwrap();
    let score = |name: &str| scores.iter().find(|(known, _)| known == name).unwrap().1;
    assert!(score("mask_map50") > 0.99 && score("mask_map75") > 0.9, "{scores:?}");
    assert_eq!(TASK.evaluate(&run, &Evaluation::on(data.display().to_string()), &session).unwrap(), scores);

    let mut lines: Vec<serde_json::Value> = vec![];
    let sources = vec![data.join("images").display().to_string()];
    let request = Request { sources, json: true, ..Request::default() };
    TASK.predict(&run, &request, &session, &mut |line| lines.push(serde_json::from_str(line).unwrap())).unwrap();
    assert_eq!(lines.len(), 8);
    for line in &lines {
        let objects = line["objects"].as_array().unwrap();
        assert_eq!(objects.len(), 2, "{line}");
        for object in objects {
            let mask = RunLengthMask::from_compressed(96, 96, object["mask"]["counts"].as_str().unwrap()).unwrap();
            let side = object["box"][2].as_f64().unwrap() - object["box"][0].as_f64().unwrap();
            // A square fills its box, a diamond half of it.
            let share = gyrus_geometry::Region::area(&mask) / (side * side);
            let expected = if object["class"] == "square" { 1.0 } else { 0.5 };
            assert!((share - expected).abs() < 0.2, "{object}: {share}");
        }
    }
}

#[test]
fn a_run_that_was_interrupted_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    resumes_exactly(TASK, folder.path(), &data, &["validation=0", "test=0", "image_size=96"]);
}
