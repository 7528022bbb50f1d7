//! The digits in the binary are those of MNIST, and pass the gate.
#![cfg(feature = "digits")]

use std::path::Path;

use gyrus_data::{Geometry, ImageBuffer, Preprocess, Split, check, shipped};
use sha2::{Digest, Sha256};

#[test]
fn the_digits_are_those_of_mnist_and_pass_the_gate() {
    let digits = shipped::digits().unwrap();
    let report = check(&digits);
    assert!(report.passed() && report.warnings.is_empty(), "{report}");
    assert_eq!(report.splits[0].per_class, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(report.splits[1].per_class, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!((report.count(Split::Train), report.count(Split::Test), report.splits.len()), (60_000, 10_000, 2));

    // The first training image is the well-known 5.
    let mut image = ImageBuffer::new();
    digits.read(0, &mut image).unwrap();
    assert_eq!((digits.label(0), image.geometry()), (Some(5), Geometry::new(28, 28, 1)));
    let row: Vec<u8> = image.pixels()[5 * 28 + 12..][..6].iter().map(|pixel| (pixel * 255.0).round() as u8).collect();
    assert_eq!(row, [3, 18, 18, 18, 126, 136]);

    let preprocess = Preprocess::new(digits.geometry()).placed_in(32, 32).measured(&digits).unwrap();
    assert!((preprocess.mean[0] - 0.1306605).abs() < 1e-6, "{:?}", preprocess.mean);
    assert!((preprocess.std[0] - 0.3081078).abs() < 1e-6, "{:?}", preprocess.std);
}

#[test]
fn the_files_have_the_checksums_of_their_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut num_files = 0;
    for line in readme.lines().filter(|line| line.contains(".gz` |")) {
        let cells: Vec<&str> = line.split('`').collect();
        let digest = Sha256::digest(std::fs::read(folder.join(cells[1])).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, cells[3], "{}", cells[1]);
        num_files += 1;
    }
    assert_eq!(num_files, 4);
}
