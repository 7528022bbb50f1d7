//! Annotated images in the layouts of YOLO, COCO, Pascal VOC, masks and tables, sound and broken.

use std::fs;
use std::path::Path;

use gyrus_data::checks::FindingKind;
use gyrus_data::target::{Page, Shape};
use gyrus_data::{Dataset, Layout, Report, Split, Target, TargetKind, admit, check};
use gyrus_geometry::{Region, Xyxy};
use image::{GrayImage, Luma, Rgb, RgbImage};
use proptest::prelude::*;

/// An image that no other is like.
fn picture(path: &Path, width: u32, height: u32, seed: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let value = |x: u32, y: u32| (x * 37 + y * 11 + seed * 53 + x * y * (seed + 3)) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([value(x, y), value(y, x), seed as u8])).save(path).unwrap();
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn boxes(dataset: &Dataset, index: usize) -> Vec<(usize, Xyxy)> {
    match dataset.target(index) {
        Target::Objects(objects) => objects.iter().map(|object| (object.class, object.bounds)).collect(),
        other => panic!("{other:?}"),
    }
}

fn opened(path: &Path, layout: Layout) -> Dataset {
    assert_eq!(Layout::detect(path).unwrap(), layout);
    Dataset::open(path).unwrap()
}

fn total(report: &Report, kind: FindingKind) -> usize {
    report.errors.iter().find(|finding| finding.kind == kind).map_or(0, |finding| finding.total)
}

const XML: &str = "<annotation><object><name>cat</name><difficult>1</difficult><bndbox>\
    <xmin>2</xmin><ymin>3</ymin><xmax>8</xmax><ymax>9</ymax></bndbox></object></annotation>";

fn voc(root: &Path) {
    for (number, name) in ["a", "b", "c"].iter().enumerate() {
        picture(&root.join(format!("JPEGImages/{name}.png")), 20, 16, number as u32);
        let xml = if *name == "b" { XML.replace("cat", "dog").replace(">1<", ">0<") } else { XML.to_string() };
        write(&root.join(format!("Annotations/{name}.xml")), &xml);
    }
    write(&root.join("ImageSets/Main/train.txt"), "a\nb\n");
    write(&root.join("ImageSets/Main/val.txt"), "c\n");
}

#[test]
fn pascal_voc() {
    let folder = tempfile::tempdir().unwrap();
    // Archives have a folder above.
    voc(&folder.path().join("VOC2007"));
    let dataset = opened(folder.path(), Layout::Voc);
    assert_eq!(dataset.to_string(), "2 training, 1 validation images with 3 objects, 16x20 RGB, 2 classes: cat, dog");
    assert_eq!(boxes(&dataset, 0), [(0, Xyxy::new(2.0, 3.0, 8.0, 9.0))]);
    assert_eq!(boxes(&dataset, 1)[0].0, 1);
    let Target::Objects(objects) = dataset.target(0) else { panic!() };
    assert!(objects[0].is_difficult && !objects[0].is_crowd);
    assert!(check(&dataset).passed(), "{}", check(&dataset));
    // The challenge's own annotations count from 1, and include the last pixel.
    let own = XML.replace("<object>", "<source><database>The VOC2007 Database</database></source><object>");
    write(&folder.path().join("VOC2007/Annotations/a.xml"), &own);
    assert_eq!(boxes(&Dataset::open(folder.path()).unwrap(), 0), [(0, Xyxy::new(1.0, 2.0, 8.0, 9.0))]);
}

#[test]
fn what_is_wrong_with_pascal_voc_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    voc(root);
    write(&root.join("Annotations/a.xml"), &XML.replace("<xmax>8", "<xmax>2"));
    write(&root.join("Annotations/b.xml"), &XML.replace("<xmax>8", "<xmax>eight"));
    write(&root.join("Annotations/c.xml"), &XML.replace("<ymax>9", "<ymax>18"));
    write(&root.join("ImageSets/Main/train.txt"), "a\nb\nd\ne\n");
    picture(&root.join("JPEGImages/e.png"), 20, 16, 9);
    write(&root.join("ImageSets/Main/val.txt"), "c\nf\n");
    picture(&root.join("JPEGImages/f.png"), 20, 16, 10);
    write(&root.join("Annotations/f.xml"), "<annotation><object></annotation>");
    let dataset = Dataset::open(root).unwrap();
    let report = check(&dataset);
    assert_eq!(total(&report, FindingKind::EmptyBox), 1, "{report}");
    assert_eq!(total(&report, FindingKind::BoxOutside), 1, "{report}");
    assert_eq!(total(&report, FindingKind::ImageMissing), 1, "{report}");
    assert_eq!(total(&report, FindingKind::LabelMissing), 1, "{report}");
    assert_eq!(total(&report, FindingKind::Malformed), 2, "{report}");
    let text = report.to_string();
    for said in
        ["cat at x 2..2, y 3..9", "<xmax> is \"eight\"", "y 3..18 in 20x16", "there is no image d", "f.xml, line 1"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    // All five images and the orphan are too much for a tenth, and not for all.
    let (dataset, report) = admit(dataset, 0.1);
    assert!(!report.passed() && report.quarantined.is_empty());
    let (dataset, report) = admit(dataset, 1.2);
    assert_eq!(report.quarantined.len(), 5, "{report}");
    assert!(Split::ALL.iter().all(|&split| dataset.indices(split).is_empty()));
    // Nothing is left to learn from: that is not to be set aside.
    assert!(!report.passed());
}

#[test]
fn a_few_bad_samples_are_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10 {
        picture(&folder.path().join(format!("{number}.png")), 12, 12, number);
        let xml = if number == 4 { XML.replace("<xmax>8", "<xmax>2") } else { XML.to_string() };
        write(&folder.path().join(format!("{number}.xml")), &xml);
    }
    let dataset = opened(folder.path(), Layout::Voc);
    assert!(!check(&dataset).passed());
    let (dataset, report) = admit(dataset, 0.1);
    assert!(report.passed(), "{report}");
    assert_eq!(dataset.indices(Split::Train), [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    assert!(report.quarantined[0].contains("4.png: cat at x 2..2"), "{report}");
    assert_eq!((report.count(Split::Train), report.splits[0].per_class[0]), (9, 9));
    assert!(report.finding(FindingKind::EmptyBox).is_some());
}

fn yolo(root: &Path) {
    picture(&root.join("images/train/a.png"), 20, 10, 1);
    picture(&root.join("images/train/b.png"), 20, 10, 2);
    picture(&root.join("images/val/c.png"), 20, 10, 3);
    write(&root.join("labels/train/a.txt"), "1 0.5 0.5 0.2 0.4\n0 0.25 0.25 0.1 0.1\n");
    write(&root.join("labels/train/b.txt"), "");
    write(&root.join("labels/val/c.txt"), "0 0.1 0.1 0.5 0.1 0.5 0.9\n");
    write(&root.join("data.yaml"), "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: dot\n  1: bar\n");
}

#[test]
fn yolo_boxes_and_outlines() {
    let folder = tempfile::tempdir().unwrap();
    yolo(folder.path());
    let dataset = opened(folder.path(), Layout::Yolo);
    assert_eq!(dataset.to_string(), "2 training, 1 validation images with 3 objects, 10x20 RGB, 2 classes: dot, bar");
    assert_eq!(boxes(&dataset, 0)[0], (1, Xyxy::new(8.0, 3.0, 12.0, 7.0)));
    assert!(boxes(&dataset, 1).is_empty());
    assert_eq!(boxes(&dataset, 2), [(0, Xyxy::new(2.0, 1.0, 10.0, 9.0))]);
    assert!(check(&dataset).passed(), "{}", check(&dataset));
    assert_eq!(opened(&folder.path().join("data.yaml"), Layout::Yolo).len(), 3);
    // Names as a list, paths as Roboflow writes them, lists of files.
    write(&folder.path().join("list.txt"), "./images/train/a.png\n");
    write(&folder.path().join("data.yaml"), "train: list.txt\nval: ../images/val\nnc: 2\nnames: ['dot', 'bar']\n");
    assert_eq!(Dataset::open(folder.path()).unwrap().len(), 2);
    fs::remove_file(folder.path().join("data.yaml")).unwrap();
    let without = opened(folder.path(), Layout::Yolo);
    assert_eq!((without.len(), without.classes()), (3, &["0".to_string(), "1".to_string()][..]));
}

#[test]
fn what_is_wrong_with_yolo_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    yolo(root);
    write(&root.join("labels/train/a.txt"), "2 0.5 0.5 0.2 0.4\n0 0.5 0.5 0.2\n\n0 0.9 0.5 0.4 0.1\nx 0 0 0 0\n");
    fs::remove_file(root.join("labels/train/b.txt")).unwrap();
    write(&root.join("labels/val/lost.txt"), "0 0.5 0.5 0.1 0.1\n");
    let report = check(&Dataset::open(root).unwrap());
    assert_eq!(total(&report, FindingKind::UnknownClass), 1, "{report}");
    assert_eq!(total(&report, FindingKind::Malformed), 2, "{report}");
    assert_eq!(total(&report, FindingKind::BoxOutside), 1, "{report}");
    assert_eq!(total(&report, FindingKind::LabelMissing), 1, "{report}");
    assert_eq!(total(&report, FindingKind::ImageMissing), 1, "{report}");
    let text = report.to_string();
    assert!(text.contains("a.txt, line 1: class 2 is unknown") && text.contains("a.txt, line 5"), "{text}");
    for (yaml, said) in [
        ("train: nowhere\nnames: [a]\n", "which is not in"),
        ("train: images/train\n", "no names of classes"),
        ("train: images/train\nnc: 3\nnames: [a]\n", "nc is 3"),
        ("train: images/train\nnames: {1: a}\n", "must be 0, 1, 2"),
        ("train: [\n", "data.yaml, line"),
    ] {
        write(&root.join("data.yaml"), yaml);
        let error = Dataset::open(root).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("data.yaml"), "{yaml}: {error}");
    }
}

/// Two images, one with an outline, the other with run lengths and a crowd.
const COCO: &str = r#"{
    "images": [{"id": 7, "file_name": "a.png", "width": 6, "height": 4}, {"id": 9, "file_name": "b.png"}],
    "categories": [{"id": 5, "name": "dog"}, {"id": 2, "name": "cat"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 5, "bbox": [1, 1, 3, 2], "segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]], "iscrowd": 0},
        {"id": 2, "image_id": 9, "category_id": 2, "bbox": [0, 1, 2, 2], "segmentation": {"counts": [1, 2, 2, 2, 17], "size": [4, 6]}, "iscrowd": 1},
        {"id": 3, "image_id": 9, "category_id": 2, "segmentation": {"counts": "16G1", "size": [4, 6]}}
    ]
}"#;

fn coco(root: &Path, json: &str) {
    picture(&root.join("val2017/a.png"), 6, 4, 1);
    picture(&root.join("val2017/b.png"), 6, 4, 2);
    write(&root.join("annotations/instances_val2017.json"), json);
}

#[test]
fn coco_outlines_runs_and_crowds() {
    let folder = tempfile::tempdir().unwrap();
    let counts = gyrus_geometry::RunLengthMask::from_runs(6, 4, &[1, 6, 17]).unwrap().compressed();
    coco(folder.path(), &COCO.replace("16G1", &counts));
    let dataset = opened(folder.path(), Layout::Coco);
    assert_eq!(dataset.to_string(), "2 validation images with 3 objects, 4x6 RGB, 2 classes: cat, dog");
    assert_eq!(boxes(&dataset, 0), [(1, Xyxy::new(1.0, 1.0, 4.0, 3.0))]);
    let Target::Objects(objects) = dataset.target(1) else { panic!() };
    assert!(objects[0].is_crowd && !objects[1].is_crowd);
    assert_eq!(objects[0].mask(6, 4).area(), 4.0);
    assert!(matches!(&objects[1].shape, Shape::Runs(runs) if runs.area() == 6.0));
    assert_eq!(objects[1].bounds, Xyxy::new(0.0, 0.0, 2.0, 4.0));
    let report = check(&dataset);
    assert!(report.passed(), "{report}");
    assert_eq!(report.splits[0].per_class, [2, 1]);
}

#[test]
fn what_is_wrong_with_coco_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = COCO
        .replace("\"category_id\": 5", "\"category_id\": 6")
        .replace("[1, 2, 2, 2, 17]", "[1, 2, 2, 2, 18]")
        .replace("\"counts\": \"16G1\", \"size\": [4, 6]", "\"counts\": [24], \"size\": [6, 4]")
        .replace("{\"id\": 9, \"file_name\": \"b.png\"}", "{\"id\": 9, \"file_name\": \"b.png\", \"width\": 6, \"height\": 4}, {\"id\": 1, \"file_name\": \"gone.png\"}");
    coco(folder.path(), &broken);
    let report = check(&Dataset::open(folder.path()).unwrap());
    assert_eq!(total(&report, FindingKind::UnknownClass), 1, "{report}");
    assert_eq!(total(&report, FindingKind::Malformed), 2, "{report}");
    assert_eq!(total(&report, FindingKind::ImageMissing), 1, "{report}");
    let text = report.to_string();
    assert!(text.contains("annotation 2") && text.contains("its mask is 6x4") && text.contains("category 6"), "{text}");
    coco(folder.path(), &COCO[..COCO.len() - 30]);
    let error = Layout::Coco.open(folder.path().join("annotations/instances_val2017.json")).unwrap_err().to_string();
    assert!(error.contains("instances_val2017.json, line") && error.contains("COCO"), "{error}");
}

/// Images with masks of three classes, 255 for what is not to be learnt.
fn masks(root: &Path) {
    for (number, split) in ["train", "train", "val"].iter().enumerate() {
        picture(&root.join(format!("{split}/{number}.png")), 8, 6, number as u32);
        let label = |x: u32, y: u32| Luma([if y == 0 { 255 } else { ((x + y) / 4 + number as u32) as u8 % 3 }]);
        fs::create_dir_all(root.join(format!("{split}annot"))).unwrap();
        GrayImage::from_fn(8, 6, label).save(root.join(format!("{split}annot/{number}.png"))).unwrap();
    }
    write(&root.join("train.txt"), "train/0.png trainannot/0.png\ntrain/1.png trainannot/1.png\n");
    write(&root.join("val.txt"), "val/2.png valannot/2.png\n");
}

#[test]
fn masks_in_lists_and_in_folders() {
    let folder = tempfile::tempdir().unwrap();
    masks(folder.path());
    let dataset = opened(folder.path(), Layout::Masks);
    assert_eq!(dataset.to_string(), "2 training, 1 validation images with masks, 6x8 RGB, 3 classes: 0, 1, 2");
    assert_eq!(dataset.kind(), Some(TargetKind::PixelClasses));
    assert!(check(&dataset).passed(), "{}", check(&dataset));
    write(&folder.path().join("classes.txt"), "sky\nroad\nvoid\n");
    assert_eq!(Dataset::open(folder.path()).unwrap().classes(), ["sky", "road", "void"]);
    write(&folder.path().join("classes.txt"), "sky\nroad\n");
    let report = check(&Dataset::open(folder.path()).unwrap());
    assert_eq!(total(&report, FindingKind::UnknownClass), 3, "{report}");
    assert!(report.to_string().contains("is 2, which stands for no class"), "{report}");

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for number in 0..3 {
        picture(&root.join(format!("images/{number}.jpg")), 8, 6, number);
        let colour = |x: u32, _| if x < 3 + number { Rgb([10, 20, 30]) } else { Rgb([40, 50, 60]) };
        fs::create_dir_all(root.join("masks")).unwrap();
        RgbImage::from_fn(8, 6, colour).save(root.join(format!("masks/{number}_mask.png"))).unwrap();
    }
    let error = Dataset::open(root).unwrap_err().to_string();
    assert!(error.contains("class_dict.csv"), "{error}");
    write(&root.join("class_dict.csv"), "name,r,g,b\nleft,10,20,30\nright,40,50,60\n");
    let dataset = opened(root, Layout::Masks);
    assert_eq!(dataset.classes(), ["left", "right"]);
    assert!(check(&dataset).passed(), "{}", check(&dataset));
    // A mask of another size, one that is missing, one too many, one that is broken.
    GrayImage::new(8, 7).save(root.join("masks/0_mask.png")).unwrap();
    fs::remove_file(root.join("masks/1_mask.png")).unwrap();
    write(&root.join("masks/2_mask.png"), "no image");
    GrayImage::new(8, 6).save(root.join("masks/9_mask.png")).unwrap();
    let report = check(&Dataset::open(root).unwrap());
    assert_eq!(total(&report, FindingKind::MaskSize), 1, "{report}");
    assert_eq!(total(&report, FindingKind::LabelMissing), 1, "{report}");
    assert_eq!(total(&report, FindingKind::MaskUnreadable), 1, "{report}");
    assert_eq!(total(&report, FindingKind::ImageMissing), 1, "{report}");
}

#[test]
fn masks_of_objects_are_told_from_masks_of_classes() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..2 {
        picture(&folder.path().join(format!("images/{number}.png")), 60, 40, number);
        fs::create_dir_all(folder.path().join("masks")).unwrap();
        let object =
            |x: u32, y: u32| Luma([if x % 10 < 7 && y % 10 < 7 { (x / 10 + y / 10 * 6 + 1) as u8 } else { 0 }]);
        GrayImage::from_fn(60, 40, object).save(folder.path().join(format!("masks/{number}.png"))).unwrap();
    }
    let dataset = opened(folder.path(), Layout::ObjectMasks);
    assert_eq!((dataset.kind(), dataset.classes()), (Some(TargetKind::Objects), &["object".to_string()][..]));
    let page = Page::from(folder.path().join("masks/0.png"));
    assert_eq!(dataset.target(0), &Target::PixelObjects(page));
    let report = check(&dataset);
    assert!(report.passed(), "{report}");
    assert_eq!(report.splits[0].per_class, [48]);
    let error = dataset.with_classes(vec!["cell".into(), "object".into()]).unwrap_err().to_string();
    assert!(error.contains("must be the first"), "{error}");
    let renamed = Dataset::open(folder.path()).unwrap().with_classes(vec!["cell".into()]).unwrap_err().to_string();
    assert!(renamed.contains("\"object\"") && renamed.contains("cell"), "{renamed}");
}

#[test]
fn classes_of_objects_and_of_pixels_are_matched_by_name() {
    let folder = tempfile::tempdir().unwrap();
    voc(folder.path());
    let dataset = Dataset::open(folder.path()).unwrap();
    let dataset = dataset.with_classes(["bird", "dog", "cat"].map(String::from).to_vec()).unwrap();
    assert_eq!((boxes(&dataset, 0)[0].0, boxes(&dataset, 1)[0].0), (2, 1));
    assert_eq!(check(&dataset).splits[0].per_class, [0, 1, 1]);
    let folder = tempfile::tempdir().unwrap();
    masks(folder.path());
    let counts = |names: &[&str]| {
        let dataset = Dataset::open(folder.path()).unwrap();
        let dataset = dataset.with_classes(names.iter().map(|name| name.to_string()).collect()).unwrap();
        check(&dataset.ignoring(&["2"]).unwrap()).splits[0].per_class.clone()
    };
    assert_eq!(counts(&["0", "1", "2", "3"]), [2, 2, 0, 0]);
    assert_eq!(counts(&["2", "1", "0"]), [0, 2, 2]);
}

#[test]
fn tables_of_images() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    (0..4).for_each(|number| picture(&root.join(format!("i/{number}.png")), 10, 8, number));
    let open = |name: &str, text: &str| {
        write(&root.join(name), text);
        let dataset = opened(&root.join(name), Layout::ImageTable);
        fs::remove_file(root.join(name)).unwrap();
        dataset
    };
    let one = open("a.csv", "file,label,split\ni/0.png,cat,train\ni/1.png,dog,val\n");
    assert_eq!(one.to_string(), "1 training, 1 validation images, 8x10 RGB, 2 classes: cat, dog");
    let several = open("a.csv", "image;tags\ni/0.png;cat|indoors\ni/1.png;\n");
    assert_eq!((several.target(0), several.target(1)), (&Target::Classes(vec![0, 1]), &Target::Classes(vec![])));
    assert_eq!(several.kind(), Some(TargetKind::Classes));
    let objects = "image_path,xmin,ymin,xmax,ymax,label\ni/0.png,1,2,5,6,cat\ni/0.png,2,2,9,7,dog\ni/1.png,,,,,\n";
    let objects = open("train.csv", objects);
    assert_eq!(boxes(&objects, 0).len(), 2);
    assert_eq!(boxes(&objects, 0)[1], (1, Xyxy::new(2.0, 2.0, 9.0, 7.0)));
    assert!(boxes(&objects, 1).is_empty());
    let lines =
        "{\"file_name\": \"i/0.png\", \"labels\": [\"a\", \"b\"]}\n{\"file_name\": \"i/1.png\", \"labels\": []}\n";
    assert_eq!(open("metadata.jsonl", lines).target(0), &Target::Classes(vec![0, 1]));
    let lines = "{\"file_name\": \"i/0.png\", \"objects\": {\"bbox\": [[1, 2, 3, 4]], \"categories\": [3]}}\n";
    assert_eq!(boxes(&open("metadata.jsonl", lines), 0), [(0, Xyxy::new(1.0, 2.0, 4.0, 6.0))]);

    let report = check(&open("a.csv", "file,label\ni/0.png,cat\ni/1.png,dog\ni/0.png,dog\ni/9.png,cat\ni/2.png,\n"));
    assert_eq!(total(&report, FindingKind::Malformed), 1, "{report}");
    assert_eq!(total(&report, FindingKind::ImageMissing), 1, "{report}");
    assert_eq!(total(&report, FindingKind::LabelMissing), 1, "{report}");
    assert!(report.to_string().contains("a.csv, line 4: i/0.png has another label before"), "{report}");
    write(&root.join("a.csv"), "file,label\ni/0.png,cat,extra\n");
    let error = Dataset::open(root.join("a.csv")).unwrap_err().to_string();
    assert!(error.contains("a.csv, line 2: 3 columns where there should be 2"), "{error}");
}

#[test]
fn two_kinds_of_annotations_are_ambiguous() {
    let folder = tempfile::tempdir().unwrap();
    voc(folder.path());
    write(&folder.path().join("labels.csv"), "file,label\nJPEGImages/a.png,cat\n");
    let error = Layout::detect(folder.path()).unwrap_err();
    assert!(error.is_usage(), "{error}");
    assert!(error.to_string().contains("(voc)") && error.to_string().contains("(image_table)"), "{error}");
    assert_eq!("voc".parse::<Layout>().unwrap().open(folder.path()).unwrap().len(), 3);
}

#[test]
fn images_that_look_like_one_of_another_split_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = |seed: u32, factor: f32| {
        RgbImage::from_fn(64, 48, |x, y| {
            let wave =
                |a: f32, b: f32| ((x as f32 * a + seed as f32).sin() + (y as f32 * b - seed as f32).cos()) * 55.0;
            let value = ((128.0 + wave(0.21 + 0.05 * seed as f32, 0.33)) * factor) as u8;
            Rgb([value, value / 2, 255 - value])
        })
    };
    for (split, seed, factor) in [("train/a", 1, 1.0), ("train/b", 2, 1.0), ("test/a", 3, 1.0), ("test/b", 2, 0.93)] {
        let path = folder.path().join(format!("{split}/{seed}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        blobs(seed, factor).save(path).unwrap();
    }
    let report = check(&Dataset::open(folder.path()).unwrap());
    let near = report.finding(FindingKind::NearLeak).unwrap();
    assert_eq!(near.total, 1, "{report}");
    assert!(near.examples[0].contains("2.png (test) looks like"), "{report}");
}

/// What a file of annotations may be broken to.
fn broken(text: &str, cut: f64, byte: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let place = (cut * bytes.len() as f64) as usize;
    if let Some(there) = bytes.get_mut(place) {
        *there = byte;
    }
    if byte.is_multiple_of(3) {
        bytes.truncate(place);
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is in the files, there is a dataset or an error, and the gate has its say.
    #[test]
    fn any_bytes_give_a_dataset_or_an_error(cut in 0f64..1.0, byte: u8) {
        let folder = tempfile::tempdir().unwrap();
        let check_all = |root: &Path| {
            for layout in Layout::ALL {
                if let Ok(dataset) = layout.open(root) {
                    let _ = check(&dataset).to_string();
                }
            }
            let _ = Layout::detect(root);
        };
        let root = folder.path().join("voc");
        voc(&root);
        fs::write(root.join("Annotations/a.xml"), broken(XML, cut, byte)).unwrap();
        check_all(&root);
        let root = folder.path().join("yolo");
        yolo(&root);
        fs::write(root.join("labels/val/c.txt"), broken("0 0.1 0.1 0.5 0.1 0.5 0.9\n", cut, byte)).unwrap();
        check_all(&root);
        fs::write(root.join("data.yaml"), broken("train: images/train\nval: images/val\nnames: [dot, bar]\n", cut, byte)).unwrap();
        check_all(&root);
        let root = folder.path().join("coco");
        coco(&root, COCO);
        fs::write(root.join("annotations/instances_val2017.json"), broken(COCO, cut, byte)).unwrap();
        check_all(&root);
        let root = folder.path().join("table");
        picture(&root.join("0.png"), 5, 5, 0);
        let table = "file,xmin,ymin,xmax,ymax,label\n0.png,1,2,3,4,a\n0.png,1,1,2,2,b\n";
        fs::write(root.join("train.csv"), broken(table, cut, byte)).unwrap();
        check_all(&root);
        let root = folder.path().join("masks");
        masks(&root);
        let mask = fs::read(root.join("trainannot/0.png")).unwrap();
        let mut mask = mask.clone();
        let place = (cut * mask.len() as f64) as usize;
        mask[place] = byte;
        fs::write(root.join("trainannot/0.png"), &mask).unwrap();
        check_all(&root);
    }
}
