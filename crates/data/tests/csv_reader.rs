//! Tables of pixels, sound and broken.

use std::fs;
use std::path::PathBuf;

use gyrus_data::checks::FindingKind;
use gyrus_data::{DataError, Dataset, Geometry, ImageBuffer, Layout, Split, check};

fn table(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digits.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn open(text: &str) -> Result<Dataset, DataError> {
    let (_folder, path) = table(text);
    Dataset::open(&path)
}

fn pixels(dataset: &Dataset, index: usize) -> Vec<f32> {
    let mut image = ImageBuffer::new();
    dataset.read(index, &mut image).unwrap();
    image.pixels().to_vec()
}

#[test]
fn a_header_is_optional_and_the_label_may_stand_elsewhere() {
    let texts = [
        "\u{feff}\"label\",\"p0\",\"p1\",\"p2\",\"p3\"\n5,0,255,51,0\n3,1,1,1,1\n",
        "label,p0,p1,p2,p3\n5,0,255,51,0\n3,1,1,1,1\n",
        "5,0,255,51,0\n3,1,1,1,1\n",
        "p0;p1;p2;p3;class\n0;255;51;0;5\n1;1;1;1;3\n",
        "y\tp0\tp1\tp2\tp3\r\n5.0\t0\t255\t51\t0\r\n\r\n3\t1\t1\t1\t1",
    ];
    for text in texts {
        let dataset = open(text).unwrap();
        assert_eq!(dataset.to_string(), "2 training images, 2x2 grey, 2 classes: 3, 5", "{text}");
        assert_eq!(pixels(&dataset, 0), [0.0, 1.0, 0.2, 0.0], "{text}");
        assert_eq!((dataset.label(0), dataset.label(1)), (Some(1), Some(0)), "{text}");
    }
}

#[test]
fn floats_are_taken_as_they_are_in_all_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("train.csv"), "a,0,255,1,2\nb,0,0.5,-1,2\n").unwrap();
    fs::write(folder.path().join("test.csv"), "a,0,2,4,6\n").unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(pixels(&dataset, 0), [0.0, 255.0, 1.0, 2.0]);
    assert_eq!(pixels(&dataset, 1), [0.0, 0.5, -1.0, 2.0]);
    assert_eq!(dataset.indices(Split::Test), [2]);
    assert_eq!(pixels(&dataset, 2), [0.0, 2.0, 4.0, 6.0]);
    assert_eq!(dataset.classes(), ["a", "b"]);
}

#[test]
fn colour_has_three_numbers_a_pixel() {
    let dataset = open("1,10,20,30,11,21,31,12,22,32,13,23,33\n").unwrap();
    assert_eq!(dataset.geometry(), Geometry::new(2, 2, 3));
    let bytes: Vec<f32> = pixels(&dataset, 0).iter().map(|pixel| (pixel * 255.0).round()).collect();
    assert_eq!(bytes, [10., 11., 12., 13., 20., 21., 22., 23., 30., 31., 32., 33.]);
}

#[test]
fn a_bad_cell_is_named_by_line_and_column() {
    let cases = [
        ("label,p0,p1,p2,p3\n5,0,0,0,0\n5,0,x7,0,0\n", "line 3", "column 3 (p1): \"x7\" is not a number"),
        ("5,0,0,0,0\n\n5,0,,0,0\n", "line 3", "column 3: the cell is empty"),
        ("5,abc,0,0,0\n", "line 1", "column 2: \"abc\" is not a number"),
        ("5,0,0,0,0\r\n\r\n5,0,0,0\r\n", "line 3", "4 columns where there should be 5"),
        ("5,0,0,0,0,0,0\n", "line 1", "7 columns are not a label and square images"),
    ];
    for (text, line, reason) in cases {
        let error = open(text).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, DataError::Csv { .. }) && !error.is_usage(), "{message}");
        assert!(message.contains(&format!("digits.csv, {line}: ")) && message.contains(reason), "{message}");
    }
}

#[test]
fn missing_labels_and_nan_are_found_by_the_gate() {
    let report = check(&open("label,a,b,c,d\n1,0,0,0,1\n,0,0,1,0\n2,0,NaN,0,0\n").unwrap());
    let examples = |kind| report.finding(kind).unwrap().examples.clone();
    assert!(examples(FindingKind::LabelMissing)[0].ends_with("digits.csv, line 3"), "{report}");
    assert!(examples(FindingKind::NotFinite)[0].ends_with("digits.csv, line 4"), "{report}");
    assert_eq!(report.errors.len(), 2, "{report}");
}

#[test]
fn tables_without_labels_or_lines_are_no_data() {
    let message = open("a,b,c,d\n0,0,0,0\n").unwrap_err().to_string();
    assert!(message.contains("column of labels"), "{message}");
    let message = open("label,b,c,d,e\n").unwrap_err().to_string();
    assert!(message.contains("no lines of pixels"), "{message}");
    let message = open("").unwrap_err().to_string();
    assert!(message.contains("the file is empty"), "{message}");
}

#[test]
fn kaggles_test_table_without_labels_is_left_out_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("train.csv"), "label,a,b,c,d\n1,0,0,0,1\n2,1,0,0,0\n").unwrap();
    fs::write(folder.path().join("test.csv"), "a,b,c,d\n0,0,0,1\n").unwrap();
    fs::write(folder.path().join("sample_submission.csv"), "ImageId,Label\n1,0\n").unwrap();
    assert_eq!(Layout::detect(folder.path()).unwrap(), Layout::PixelCsv);
    let report = check(&Dataset::open(folder.path()).unwrap());
    assert!(report.passed(), "{report}");
    assert!(report.finding(FindingKind::LeftOut).unwrap().examples[0].contains("test.csv"), "{report}");
}

#[test]
fn two_tables_for_a_split_are_ambiguous() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "b.csv"] {
        fs::write(folder.path().join(name), "1,0,0,0,1\n").unwrap();
    }
    let error = Dataset::open(folder.path()).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("a.csv") && error.to_string().contains("b.csv"), "{error}");
}
