//! IDX files, sound and broken.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use gyrus_data::checks::FindingKind;
use gyrus_data::{DataError, Dataset, Geometry, ImageBuffer, Layout, Split, check};
use proptest::prelude::*;

fn idx(code: u8, shape: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, shape.len() as u8];
    shape.iter().for_each(|length| bytes.extend(length.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";

fn write(folder: &Path, files: &[(&str, Vec<u8>)]) {
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
}

/// A folder of four 1x2 images of two classes.
fn sound() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (TRAIN_IMAGES, idx(8, &[4, 1, 2], &[0, 255, 51, 1, 2, 3, 4, 5])),
            (TRAIN_LABELS, idx(8, &[4], &[7, 3, 7, 3])),
        ],
    );
    let path = folder.path().to_owned();
    (folder, path)
}

fn pixels(dataset: &Dataset, index: usize) -> Vec<f32> {
    let mut image = ImageBuffer::new();
    dataset.read(index, &mut image).unwrap();
    image.pixels().to_vec()
}

fn error(path: &Path) -> DataError {
    Dataset::open(path).unwrap_err()
}

#[test]
fn bytes_are_scaled_and_labels_become_classes() {
    let (_folder, path) = sound();
    assert_eq!(Layout::detect(&path).unwrap(), Layout::Idx);
    for path in [path.clone(), path.join(TRAIN_IMAGES)] {
        let dataset = Dataset::open(&path).unwrap();
        assert_eq!(dataset.to_string(), "4 training images, 1x2 grey, 2 classes: 3, 7");
        assert_eq!((0..4).map(|index| dataset.label(index).unwrap()).collect::<Vec<_>>(), [1, 0, 1, 0]);
        assert_eq!(pixels(&dataset, 0), [0.0, 1.0]);
        assert_eq!(pixels(&dataset, 1), [0.2, 1.0 / 255.0]);
        assert!(dataset.origin(1).to_string().ends_with("train-images-idx3-ubyte, sample 1"));
    }
}

#[test]
fn every_type_of_element_is_read() {
    let f32s: Vec<u8> = [-1.5_f32, 1e9].iter().flat_map(|value| value.to_be_bytes()).collect();
    let f64s: Vec<u8> = [-1.5_f64, 0.25].iter().flat_map(|value| value.to_be_bytes()).collect();
    let i32s: Vec<u8> = [-70_000_i32, 5].iter().flat_map(|value| value.to_be_bytes()).collect();
    let i16s: Vec<u8> = [-300_i16, 5].iter().flat_map(|value| value.to_be_bytes()).collect();
    let cases: [(u8, Vec<u8>, [f32; 2]); 5] = [
        (0x09, vec![0xFF, 5], [-1.0, 5.0]),
        (0x0B, i16s, [-300.0, 5.0]),
        (0x0C, i32s, [-70_000.0, 5.0]),
        (0x0D, f32s, [-1.5, 1e9]),
        (0x0E, f64s, [-1.5, 0.25]),
    ];
    for (code, elements, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let labels: Vec<u8> = [1_i32, 2].iter().flat_map(|value| value.to_be_bytes()).collect();
        write(folder.path(), &[("images", idx(code, &[2, 1, 1], &elements)), ("labels", idx(0x0C, &[2], &labels))]);
        let dataset = Dataset::open(folder.path()).unwrap();
        assert_eq!([pixels(&dataset, 0)[0], pixels(&dataset, 1)[0]], expected, "type {code:#x}");
        assert_eq!(dataset.classes(), ["1", "2"]);
    }
}

#[test]
fn colour_may_be_last_or_second() {
    let folder = tempfile::tempdir().unwrap();
    let elements = [10, 20, 30, 11, 21, 31];
    write(folder.path(), &[("images", idx(8, &[1, 1, 2, 3], &elements)), ("labels", idx(8, &[1], &[0]))]);
    let last = Dataset::open(folder.path()).unwrap();
    write(folder.path(), &[("images", idx(8, &[1, 3, 1, 2], &[10, 11, 20, 21, 30, 31]))]);
    let second = Dataset::open(folder.path()).unwrap();
    assert_eq!((last.geometry(), second.geometry()), (Geometry::new(1, 2, 3), Geometry::new(1, 2, 3)));
    assert_eq!(pixels(&last, 0), pixels(&second, 0));
    assert_eq!(pixels(&last, 0)[..2], [10.0 / 255.0, 11.0 / 255.0]);
}

#[test]
fn compressed_files_are_read_and_names_tell_the_split() {
    let (_folder, path) = sound();
    for name in [TRAIN_IMAGES, TRAIN_LABELS] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&fs::read(path.join(name)).unwrap()).unwrap();
        let packed = encoder.finish().unwrap();
        fs::write(path.join(format!("{}.gz", name.replace("train", "t10k"))), packed).unwrap();
    }
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!((dataset.indices(Split::Train).len(), dataset.indices(Split::Test).len()), (4, 4));
    assert_eq!(pixels(&dataset, 5), pixels(&dataset, 1));
    // The gate sees that the test is the training split.
    let report = check(&dataset);
    assert_eq!(report.finding(FindingKind::Leak).unwrap().total, 4);
    assert!(!report.passed());
    // Half a compressed file.
    let packed = path.join("t10k-images-idx3-ubyte.gz");
    let bytes = fs::read(&packed).unwrap();
    fs::write(&packed, &bytes[..bytes.len() - 9]).unwrap();
    let error = error(&path).to_string();
    assert!(error.contains("t10k-images-idx3-ubyte.gz: at byte") && error.contains("damaged"), "{error}");
}

#[test]
fn a_file_that_is_cut_short_says_where() {
    let (_folder, path) = sound();
    let images = path.join(TRAIN_IMAGES);
    let bytes = fs::read(&images).unwrap();
    fs::write(&images, &bytes[..21]).unwrap();
    let message = error(&path).to_string();
    assert!(message.contains("at byte 21: the file ends here") && message.contains("to byte 24"), "{message}");
    fs::write(&images, [bytes.clone(), vec![0]].concat()).unwrap();
    let message = error(&path).to_string();
    assert!(message.contains("at byte 24: the file goes on"), "{message}");
    fs::write(&images, &bytes[..10]).unwrap();
    let message = error(&path).to_string();
    assert!(message.contains("at byte 8: the file ends within its header"), "{message}");
}

#[test]
fn a_header_that_promises_the_impossible_is_refused() {
    let (_folder, path) = sound();
    fs::write(path.join(TRAIN_IMAGES), idx(8, &[u32::MAX, u32::MAX, u32::MAX], &[])).unwrap();
    assert!(error(&path).to_string().contains("more than any memory holds"));
    fs::write(path.join(TRAIN_IMAGES), idx(8, &[1 << 20, 1 << 10, 1 << 10], &[1, 2])).unwrap();
    assert!(error(&path).to_string().contains("at byte 18: the file ends here"));
}

#[test]
fn images_and_labels_need_each_other() {
    let (_folder, path) = sound();
    fs::write(path.join(TRAIN_LABELS), idx(8, &[3], &[7, 3, 7])).unwrap();
    let message = error(&path).to_string();
    assert!(message.contains("has 3 labels for 4 images"), "{message}");
    fs::remove_file(path.join(TRAIN_LABELS)).unwrap();
    for path in [path.clone(), path.join(TRAIN_IMAGES)] {
        assert!(error(&path).to_string().contains("these images have no file of labels"));
    }
    fs::remove_file(path.join(TRAIN_IMAGES)).unwrap();
    fs::write(path.join(TRAIN_LABELS), idx(8, &[3], &[7, 3, 7])).unwrap();
    assert!(error(&path).to_string().contains("these labels have no file of images"));
    assert!(error(&path.join(TRAIN_LABELS)).to_string().contains("is a file of labels"));
}

#[test]
fn labels_must_be_whole_numbers() {
    let (_folder, path) = sound();
    let labels: Vec<u8> = [1.0_f32, 2.0, 0.5, 1.0].iter().flat_map(|value| value.to_be_bytes()).collect();
    fs::write(path.join(TRAIN_LABELS), idx(0x0D, &[4], &labels)).unwrap();
    let message = error(&path).to_string();
    assert!(message.contains("at byte 16: the label of sample 2 is 0.5"), "{message}");
}

#[test]
fn nan_is_found_by_the_gate() {
    let (_folder, path) = sound();
    let elements: Vec<u8> = [0.0, 1.0, 2.0, f32::NAN, 4.0, 5.0, f32::INFINITY, 1.0]
        .iter()
        .flat_map(|value: &f32| value.to_be_bytes())
        .collect();
    fs::write(path.join(TRAIN_IMAGES), idx(0x0D, &[4, 1, 2], &elements)).unwrap();
    let report = check(&Dataset::open(&path).unwrap());
    let finding = report.finding(FindingKind::NotFinite).unwrap();
    assert_eq!(finding.total, 2);
    assert!(finding.examples[0].ends_with("sample 1") && finding.examples[1].ends_with("sample 3"), "{report}");
    assert!(!report.passed());
}

#[test]
fn two_datasets_in_a_folder_are_ambiguous_and_sizes_must_agree() {
    let (_folder, path) = sound();
    fs::copy(path.join(TRAIN_IMAGES), path.join("emnist-train-images-idx3-ubyte")).unwrap();
    let found = error(&path);
    assert!(found.is_usage() && found.to_string().contains("emnist-train-images-idx3-ubyte"), "{found}");
    fs::remove_file(path.join("emnist-train-images-idx3-ubyte")).unwrap();
    write(&path, &[("test-images", idx(8, &[1, 2, 2], &[0; 4])), ("test-labels", idx(8, &[1], &[7]))]);
    let found = error(&path).to_string();
    assert!(found.contains("its images are 2x2 grey") && found.contains("are 1x2 grey"), "{found}");
}

proptest! {
    /// No bytes make the reader panic.
    #[test]
    fn any_bytes_give_a_dataset_or_an_error(images: Vec<u8>, header in prop::collection::vec(0u8..15, 4..20)) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = [vec![0, 0], header, images].concat();
        write(folder.path(), &[(TRAIN_IMAGES, bytes), (TRAIN_LABELS, idx(8, &[1], &[1]))]);
        let _ = Layout::Idx.open(folder.path());
    }
}
