//! The task on a small scale: eight pictures with a bright square or a bright cross each.

use std::fs;
use std::path::Path;

use gyrus_train::record::RunFolder;
use image::{Rgb, RgbImage};

use super::Localization;
use crate::vision::Vision;
use crate::vision::trial::{RUNS_ON, resumes_exactly, session};
use crate::{Config, Evaluation, Layer, Request, Task};

const TASK: &dyn Task = Vision::<Localization>::TASK;

fn shapes(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut table = String::from("file,xmin,ymin,xmax,ymax,label\n");
    for number in 0..8u32 {
        let (left, top, side) = (4 + 5 * (number % 4), 6 + 12 * (number / 4), 14 + 2 * (number % 3));
        let is_cross = number % 2 == 1;
        let picture = RgbImage::from_fn(64, 48, |x, y| {
            let (x, y) = (x.wrapping_sub(left), y.wrapping_sub(top));
            let is_inside = x < side && y < side;
            let is_arm = x.abs_diff(side / 2) < 3 || y.abs_diff(side / 2) < 3;
            if is_inside && (!is_cross || is_arm) { Rgb([250, 240, 90]) } else { Rgb([30, 40 + number as u8, 60]) }
        });
        picture.save(folder.join(format!("{number}.png"))).unwrap();
        let class = if is_cross { "cross" } else { "square" };
        table += &format!("{number}.png,{left},{top},{},{},{class}\n", left + side, top + side);
    }
    fs::write(folder.join("boxes.csv"), table).unwrap();
}

#[test]
fn it_learns_eight_pictures_and_still_knows_them_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    let session = session(folder.path(), &RUNS_ON);
    let data = data.display().to_string();
    let settings = [
        &*format!("data={data}"),
        "validation=0",
        "test=0",
        "batch=8",
        "augment=none",
        "epochs=60",
        "model=resnet9-w32",
        "schedule=constant",
        "lr=0.003",
        "image_size=64",
        "label_smoothing=0",
    ];
    let settings: Vec<String> = settings.map(String::from).to_vec();
    let config = Config::resolve(TASK.defaults(), &[Layer::from_settings(&settings).unwrap()]).unwrap();
    let finished = TASK.train(config, &session).unwrap();
    let score = |scores: &[(String, f64)], name: &str| scores.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(score(&finished.scores, "validation/localization_accuracy"), 1.0, "{:?}", finished.scores);

    let run = RunFolder::open(folder.path(), &finished.run.display().to_string()).unwrap();
    let again = TASK.evaluate(&run, &Evaluation::on(&data), &session).unwrap();
    for name in ["localization_accuracy", "class_accuracy", "mean_iou"] {
        assert_eq!(score(&again, name), score(&finished.scores, &format!("validation/{name}")), "{name}");
    }
    let with_mirror = Evaluation { mirror: true, ..Evaluation::on(&data) };
    let mirrored = TASK.evaluate(&run, &with_mirror, &session).unwrap();
    assert!(score(&mirrored, "mean_iou") != score(&again, "mean_iou") && score(&mirrored, "class_accuracy") > 0.0);

    let mut lines: Vec<serde_json::Value> = vec![];
    let request = Request { sources: vec![format!("{data}/3.png")], json: true, ..Request::default() };
    TASK.predict(&run, &request, &session, &mut |line| lines.push(serde_json::from_str(line).unwrap())).unwrap();
    let object = &lines[0]["objects"][0];
    assert_eq!(object["class"], "cross");
    assert!((object["box"][0].as_f64().unwrap() - 19.0).abs() < 4.0, "{object}");
}

#[test]
fn a_run_that_was_interrupted_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("shapes");
    shapes(&data);
    let settings = ["validation=0", "test=0", "model=resnet9-w32", "image_size=64"];
    resumes_exactly(TASK, folder.path(), &data, &settings);
}
