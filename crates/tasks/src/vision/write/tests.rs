//! What is written is read back by what reads users' data, and is the same.

use std::fs;

use gyrus_data::readers::{coco, masks, yolo};
use gyrus_data::target::{IGNORED, LabelMap, Shape};
use gyrus_data::{Dataset, Target};
use gyrus_geometry::{Mask, RunLengthMask, Xyxy};
use serde_json::Value;

use super::*;
use crate::vision::Found;

const SIZE: (usize, usize) = (60, 40);

fn classes() -> Vec<String> {
    vec!["cat".into(), "a \"dog\", large".into()]
}

fn image() -> ImageBuffer {
    ImageBuffer::from_pixels(Geometry::new(SIZE.1, SIZE.0, 3), vec![0.5; 3 * SIZE.0 * SIZE.1])
}

fn ring(left: usize, top: usize) -> RunLengthMask {
    let inside = |x: usize, y: usize| x >= left && y >= top && x < left + 9 && y < top + 7;
    let hole = |x: usize, y: usize| x == left + 4 && y == top + 3;
    RunLengthMask::from(&Mask::from_fn(SIZE.0, SIZE.1, |x, y| inside(x, y) && !hole(x, y)))
}

/// Two objects on one image, one on another of the same name elsewhere, none on a third.
fn objects(has_masks: bool) -> Vec<(&'static str, Answer)> {
    let found = |class: usize, score: f64, left: usize, top: usize| {
        let mask = ring(left, top);
        Found { class, score, bounds: mask.bounding_box(), mask: has_masks.then_some(mask) }
    };
    vec![
        ("a/1.png", Answer::Objects(vec![found(1, 0.875, 3, 4), found(0, 0.5, 30, 20)])),
        ("b/1.png", Answer::Objects(vec![found(0, 0.25, 0, 33)])),
        ("b/2.png", Answer::Objects(vec![])),
    ]
}

fn write(format: Format, folder: &Path, answers: &[(&str, Answer)]) -> Result<(), TaskError> {
    let (classes, image) = (classes(), image());
    let mut files = files(format, folder, &classes)?;
    for (name, answer) in answers {
        files.write(&Said { source: name, name: Path::new(name), image: &image, answer })?;
        let path = folder.join("images").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::new(SIZE.0 as u32, SIZE.1 as u32).save(path).unwrap();
    }
    files.finish()
}

/// The objects of a data set, by the names of their images.
fn read(dataset: &Dataset) -> Vec<(String, Vec<gyrus_data::Object>)> {
    let name = |index: usize| dataset.origin(index).to_string().rsplit("images/").next().unwrap().to_owned();
    let mut read: Vec<_> =
        (0..dataset.len()).map(|index| (name(index), dataset.objects(index).unwrap().into_owned())).collect();
    read.sort_by(|a, b| a.0.cmp(&b.0));
    read
}

fn assert_same(read: &[(String, Vec<gyrus_data::Object>)], written: &[(&str, Answer)], tolerance: f64) {
    assert_eq!(read.len(), written.len());
    for ((name, read), (expected, answer)) in read.iter().zip(written) {
        let Answer::Objects(objects) = answer else { panic!("{answer:?}") };
        assert_eq!((name.as_str(), read.len()), (*expected, objects.len()));
        for (read, found) in read.iter().zip(objects) {
            assert_eq!(read.class, found.class);
            let Xyxy { left, top, right, bottom } = found.bounds;
            let Xyxy { left: l, top: t, right: r, bottom: b } = read.bounds;
            for (a, b) in [(left, l), (top, t), (right, r), (bottom, b)] {
                assert!((a - b).abs() <= tolerance, "{:?} {:?}", found.bounds, read.bounds);
            }
            match &found.mask {
                Some(mask) => assert_eq!(&read.mask(SIZE.0, SIZE.1), mask),
                None => assert_eq!(read.shape, Shape::Box),
            }
        }
    }
}

#[test]
fn yolos_labels_come_back() {
    for has_masks in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let written = objects(has_masks);
        write(Format::Yolo, folder.path(), &written).unwrap();
        // Labels to learn from have no confidence at the end.
        for file in ["labels/a/1.txt", "labels/b/1.txt", "labels/b/2.txt"] {
            let path = folder.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            let scores: Vec<&str> = text.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
            let expected: &[&str] = match file {
                "labels/a/1.txt" => &["0.875000", "0.500000"],
                "labels/b/1.txt" => &["0.250000"],
                _ => &[],
            };
            assert_eq!(scores, expected);
            let plain = text.lines().map(|line| format!("{}\n", line.rsplit_once(' ').unwrap().0));
            fs::write(path, plain.collect::<String>()).unwrap();
        }
        let description = "names: [cat, dog]\ntrain: images\n";
        fs::write(folder.path().join("data.yaml"), description).unwrap();
        let dataset = yolo::open(folder.path()).unwrap();
        assert!(dataset.faults().is_empty(), "{:?}", dataset.faults());
        assert_same(&read(&dataset), &written, 1e-4);
        let names = fs::read_to_string(folder.path().join("classes.txt")).unwrap();
        assert_eq!(names.lines().collect::<Vec<_>>(), classes());
    }
}

#[test]
fn cocos_annotations_come_back() {
    for has_masks in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let written = objects(has_masks);
        write(Format::Coco, folder.path(), &written).unwrap();
        let dataset = coco::open(&folder.path().join("coco.json")).unwrap();
        assert_eq!(dataset.classes(), classes());
        assert!(dataset.faults().is_empty(), "{:?}", dataset.faults());
        assert_same(&read(&dataset), &written, 0.0);

        let text = fs::read_to_string(folder.path().join("coco_results.json")).unwrap();
        let results: Vec<Value> = serde_json::from_str(&text).unwrap();
        let of = |key: &str| results.iter().map(|result| result[key].clone()).collect::<Vec<_>>();
        // Two images are called 1, so that their places number them.
        assert_eq!(
            (of("image_id"), of("category_id")),
            (vec![1.into(), 1.into(), 2.into()], vec![2.into(), 1.into(), 1.into()])
        );
        assert_eq!(of("score"), [0.875, 0.5, 0.25].map(Value::from));
    }
    let folder = tempfile::tempdir().unwrap();
    let written = [objects(false).remove(0)].map(|(_, answer)| ("000000000139.jpg", answer));
    write(Format::Coco, folder.path(), &written).unwrap();
    let text = fs::read_to_string(folder.path().join("coco_results.json")).unwrap();
    assert!(text.contains("\"image_id\":139"), "{text}");
}

#[test]
fn masks_of_objects_come_back() {
    let folder = tempfile::tempdir().unwrap();
    // The reader of masks looks into no deeper folders.
    let written: Vec<_> =
        ["1.png", "2.png", "3.png"].into_iter().zip(objects(true)).map(|(name, (_, answer))| (name, answer)).collect();
    write(Format::Masks, folder.path(), &written).unwrap();
    let dataset = masks::open_objects(folder.path()).unwrap();
    let read = read(&dataset);
    for ((name, objects), (expected, answer)) in read.iter().zip(&written) {
        let Answer::Objects(found) = answer else { panic!("{answer:?}") };
        assert_eq!((name.as_str(), objects.len()), (*expected, found.len()));
        for (object, found) in objects.iter().zip(found) {
            assert_eq!(Some(&object.mask(SIZE.0, SIZE.1)), found.mask.as_ref());
        }
    }
}

#[test]
fn masks_of_classes_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let label = |place: usize| [0, 1, IGNORED][place % 7 % 3];
    let map = LabelMap { height: SIZE.1, width: SIZE.0, labels: (0..SIZE.0 * SIZE.1).map(label).collect() };
    write(Format::Masks, folder.path(), &[("1.png", Answer::Pixels(map.clone()))]).unwrap();
    let dataset = masks::open(folder.path()).unwrap();
    assert!(matches!(dataset.target(0), Target::PixelClasses(_)));
    assert_eq!(dataset.classes(), classes());
    assert_eq!(dataset.pixel_labels(0).unwrap(), map);
}

#[test]
fn tables_and_lines_have_every_kind_of_answer() {
    let map = LabelMap { height: 1, width: 4, labels: vec![0, 1, 1, 1] };
    let cases = [
        (Answer::Class(vec![0.25, 0.75]), vec![vec!["1.png", "a \"dog\", large", "0.75", "0.25", "0.75"]]),
        (Answer::Classes(vec![0.5, 0.125]), vec![vec!["1.png", "0.5", "0.125"]]),
        (
            objects(true).remove(0).1,
            vec![
                vec!["1.png", "a \"dog\", large", "0.875", "3", "4", "12", "11", "62"],
                vec!["1.png", "cat", "0.5", "30", "20", "39", "27", "62"],
            ],
        ),
        (Answer::Pixels(map), vec![vec!["1.png", "cat", "0.25"], vec!["1.png", "a \"dog\", large", "0.75"]]),
    ];
    for (answer, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Text, Format::Json, Format::Csv] {
            write(format, folder.path(), &[("1.png", answer.clone())]).unwrap();
        }
        let mut table = ::csv::Reader::from_path(folder.path().join("predictions.csv")).unwrap();
        let columns = table.headers().unwrap().len();
        let rows: Vec<Vec<String>> =
            table.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows, expected);
        assert!(rows.iter().all(|row| row.len() == columns));

        let line = fs::read_to_string(folder.path().join("predictions.jsonl")).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["source"], "1.png");
        let key = match answer {
            Answer::Class(_) => "class",
            Answer::Classes(_) => "classes",
            Answer::Objects(_) => "objects",
            Answer::Pixels(_) => "shares",
        };
        assert!(!line[key].is_null(), "{line}");
        let text = fs::read_to_string(folder.path().join("predictions.txt")).unwrap();
        assert!(text.starts_with("1.png: ") && text.lines().count() == 1, "{text}");
    }
}

#[test]
fn pictures_are_as_large_as_images_and_more() {
    let folder = tempfile::tempdir().unwrap();
    write(Format::Pictures, folder.path(), &objects(true)).unwrap();
    let picture = image::open(folder.path().join("pictures/a/1.png")).unwrap();
    assert_eq!(picture.width(), 8 * SIZE.0 as u32);
    assert!(picture.height() > 8 * SIZE.1 as u32);
}

#[test]
fn what_a_format_has_no_place_for_is_an_error_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let map = LabelMap { height: 1, width: 1, labels: vec![0] };
    for (format, answer, formats) in [
        (Format::Yolo, Answer::Class(vec![1.0, 0.0]), "text, json, csv, pictures"),
        (Format::Coco, Answer::Pixels(map), "text, json, csv, masks, pictures"),
        (Format::Masks, objects(false).remove(0).1, "text, json, csv, yolo, coco, pictures"),
    ] {
        let error = write(format, folder.path(), &[("1.png", answer)]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().ends_with(formats), "{error}");
    }
    assert_eq!("yolo".parse(), Ok(Format::Yolo));
    assert!("xml".parse::<Format>().unwrap_err().contains("text, json, csv, yolo, coco, masks, pictures"));
}
