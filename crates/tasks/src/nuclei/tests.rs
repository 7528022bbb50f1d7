//! The task on a small scale: eight pictures of discs that touch.

use std::fs;
use std::path::Path;

use gyrus_data::Geometry;
use gyrus_geometry::{Region, distance_transform};
use gyrus_train::record::RunFolder;
use image::{GrayImage, ImageBuffer, Luma};

use super::objects::tell_apart;
use super::targets::shares;
use super::{Nuclei, Options};
use crate::vision::Vision;
use crate::vision::trial::{RUNS_ON, resumes_exactly, session};
use crate::{Config, Evaluation, Finished, Layer, Task, TaskError};

const TASK: &dyn Task = Vision::<Nuclei>::TASK;

const SIDE: u32 = 48;

/// The number of the disc that a pixel is of: three in a row that touch, and some more apart.
fn disc(picture: u32, x: u32, y: u32) -> u16 {
    let shift = picture as f64;
    let centers = [[9.0 + shift, 10.0], [18.0 + shift, 11.0], [27.0 + shift, 9.0], [10.0, 35.0 - shift], [38.0, 36.0]];
    let square = |[a, b]: [f64; 2]| (x as f64 - a).powi(2) + (y as f64 - b).powi(2);
    let nearest = (0..centers.len()).min_by(|&a, &b| square(centers[a]).total_cmp(&square(centers[b]))).unwrap();
    if square(centers[nearest]) < 25.0 { nearest as u16 + 1 } else { 0 }
}

fn discs(folder: &Path) {
    for part in ["images", "masks"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    for picture in 0..8 {
        let name = format!("{picture}.png");
        let grey = |x, y| Luma([if disc(picture, x, y) > 0 { 200u8 } else { 30 } + ((x * 7 + y * 5) % 13) as u8]);
        GrayImage::from_fn(SIDE, SIDE, grey).save(folder.join("images").join(&name)).unwrap();
        // Numbers above 255 say that they are of objects, not of classes.
        let number = |x, y| {
            Luma([match disc(picture, x, y) {
                0 => 0,
                disc => 299 + disc,
            }])
        };
        let mask: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(SIDE, SIDE, number);
        mask.save(folder.join("masks").join(&name)).unwrap();
    }
}

fn train(folder: &Path, settings: &[&str]) -> Result<Finished, TaskError> {
    const SMALL: [&str; 8] = [
        "validation=0",
        "test=0",
        "batch=8",
        "augment=none",
        "lr=0.005",
        "epochs=80",
        "model=unet-tiny",
        "image_size=48",
    ];
    let data = folder.join("discs");
    if !data.exists() {
        discs(&data);
    }
    let data = format!("data={}", data.display());
    let settings: Vec<String> = [data.as_str()].iter().chain(&SMALL).chain(settings).map(|&s| s.to_owned()).collect();
    let layer = Layer::from_settings(&settings).unwrap();
    TASK.train(Config::resolve(TASK.defaults(), &[layer]).unwrap(), &session(folder, &RUNS_ON))
}

#[test]
fn eight_pictures_are_learnt_counted_and_still_known_when_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let finished = train(folder.path(), &["schedule=constant"]).unwrap();
    let run = RunFolder::open(folder.path(), &finished.run.display().to_string()).unwrap();
    let data = folder.path().join("discs");
    let scores =
        TASK.evaluate(&run, &Evaluation::on(data.display().to_string()), &session(folder.path(), &RUNS_ON)).unwrap();
    let score = |name: &str| scores.iter().find(|(own, _)| own == name).unwrap().1;
    assert_eq!((score("objects"), score("found")), (40.0, 40.0), "{scores:?}");
    assert!(score("mask_map50") > 0.95, "{scores:?}");
    let validated = finished.scores.iter().find(|(name, _)| name == "validation/mask_map50").unwrap().1;
    assert_eq!(validated, score("mask_map50"));
}

#[test]
fn true_distances_give_back_the_objects_exactly() {
    let labels: Vec<i64> = (0..SIDE * SIDE).map(|place| disc(3, place % SIDE, place / SIDE).into()).collect();
    let side = SIDE as usize;
    let distances = shares(side, side, &labels);
    let absolute = distance_transform(side, side, &labels);
    assert!(distances.iter().zip(&absolute).all(|(share, distance)| (*share == 0.0) == (*distance == 0.0)));
    let inside = |label: i64| if label > 0 { [0.0, 1.0] } else { [1.0, 0.0] };
    let numbers: Vec<f32> =
        labels.iter().zip(&distances).flat_map(|(&l, &d)| [inside(l)[0], inside(l)[1], d]).collect();
    let found = tell_apart(&numbers, Geometry::new(side, side, 1), 1, &Options::default());
    let mut areas: Vec<f64> = found.iter().map(|object| object.mask.as_ref().unwrap().area()).collect();
    let mut expected: Vec<f64> =
        (1..=5).map(|number| labels.iter().filter(|&&label| label == number).count() as f64).collect();
    areas.sort_by(f64::total_cmp);
    expected.sort_by(f64::total_cmp);
    assert_eq!(areas, expected);
    assert!(found.iter().all(|object| object.score == 1.0));
}

#[test]
fn bad_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, said) in [
        ("model=unte-tiny", "unet-tiny"),
        ("distance_weight=0", "distance_weight"),
        ("least_distance=1.0", "least_distance"),
        ("least_probability=-1", "least_probability"),
    ] {
        let error = train(folder.path(), &[setting]).unwrap_err();
        assert!(error.to_string().contains(said), "{setting}: {error}");
        assert_eq!(error.exit_code(), 2, "{setting}: {error}");
    }
}

#[test]
fn a_run_that_was_interrupted_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("discs");
    discs(&data);
    let settings = ["validation=0", "test=0", "model=unet-tiny", "image_size=32"];
    resumes_exactly(TASK, folder.path(), &data, &settings);
}
