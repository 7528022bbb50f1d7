//! Predictions as files, and explanations.

use std::fs;

use super::fixtures::{Workplace, write_images};

#[test]
fn formats_become_files() {
    let workplace = Workplace::with_data();
    workplace.train("a", "");
    write_images(&workplace.path("new"), &["1", "2"], 2);

    let outcome = workplace.gyrus("predict a new new/1/*.png --format csv");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!((lines[0], lines.len()), ("source,class,probability,0,1,2", 7), "{lines:?}");

    let outcome = workplace.gyrus("predict a new --out found --format json,csv,text,pictures");
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 4), "{outcome:?}");
    for file in ["predictions.jsonl", "predictions.csv", "predictions.txt", "pictures/1/00.png", "pictures/2/01.png"] {
        assert!(workplace.path("found").join(file).is_file(), "{file}");
    }
    let text = fs::read_to_string(workplace.path("found/predictions.txt")).unwrap();
    assert_eq!(text, outcome.stdout);

    workplace.gyrus("predict a new --format yolo").assert_fails(2, &["--out"]);
    workplace.gyrus("predict a new --format csv,json").assert_fails(2, &["--out"]);
    workplace.gyrus("predict a new --format xml").assert_fails(2, &["xml", "pictures"]);
    workplace.gyrus("predict a new --format yolo --out found").assert_fails(2, &["yolo", "text, json, csv, pictures"]);
    workplace.gyrus("predict a new/*.gif").assert_fails(2, &["no image file fits"]);
}

#[test]
fn explanations_are_pictures() {
    let workplace = Workplace::with_data();
    workplace.train("a", "--epochs 2");
    write_images(&workplace.path("new"), &["1"], 1);
    for method in ["gradcam", "saliency", "integrated-gradients", "occlusion", "smoothgrad"] {
        let outcome = workplace.gyrus(&format!("explain a new/1/00.png --method {method} --json"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let (line, picture) = (outcome.last(), format!("00_{method}.png"));
        assert_eq!((&line["method"], &line["picture"]), (&method.into(), &picture.as_str().into()));
        let picture = image::open(workplace.path(&picture)).unwrap();
        assert!(picture.width() > 400, "the image is beside its overlay");
        assert_eq!(line["completeness_gap"].is_number(), method == "integrated-gradients");
    }
    let outcome = workplace.gyrus("explain a new/1/00.png --class 2 --check --out why.png --json");
    assert_eq!((outcome.code, &outcome.last()["class"]), (Some(0), &"2".into()), "{outcome:?}");
    assert_eq!(outcome.last()["rank_correlations"].as_array().unwrap().len(), 3);
    assert!(workplace.path("why.png").is_file());

    workplace.gyrus("explain a new/1/00.png --class cat").assert_fails(2, &["cat", "0, 1, 2"]);
    workplace.gyrus("explain a new/1/00.png --method lime").assert_fails(2, &["lime", "gradcam"]);
    workplace.gyrus("explain a nowhere.png").assert_fails(3, &["nowhere.png"]);
}
