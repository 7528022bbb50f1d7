//! Image files of many formats, against what Pillow reads.

use std::fs;
use std::path::{Path, PathBuf};

use gyrus_data::readers::{image_file, label_image};
use gyrus_data::target::{LabelMap, Page, PixelClasses};
use gyrus_data::{DataError, Geometry, ImageBuffer};
use serde_json::Value;

fn goldens() -> Value {
    serde_json::from_str(include_str!("reference/image_goldens.json")).unwrap()
}

fn file(case: &Value) -> PathBuf {
    named(case["name"].as_str().unwrap())
}

fn named(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/images").join(name)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn every_format_is_read_as_pillow_reads_it() {
    let goldens = goldens();
    let cases = goldens["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 48);
    let mut wrong = Vec::new();
    for case in cases {
        let mut image = ImageBuffer::new();
        image_file::read(&file(case), 3, &mut image).unwrap();
        let size = numbers(&case["size"]);
        let name = &case["name"];
        assert_eq!(image.geometry(), Geometry::new(size[0] as usize, size[1] as usize, 3), "{name}");
        let tolerance = case["tolerance"].as_f64().unwrap();
        let mut worst: f64 = 0.0;
        for (place, pixel) in case["pixels"].as_array().unwrap().iter().enumerate() {
            for (channel, expected) in numbers(pixel).into_iter().enumerate() {
                let found = f64::from(image.channel(channel)[place]) * 255.0;
                worst = worst.max((found - expected).abs());
            }
        }
        if worst > tolerance + 1e-3 {
            wrong.push(format!("{name}: differs by {worst}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn sixteen_bits_stay_sixteen_bits() {
    let goldens = goldens();
    for case in goldens["deep"].as_array().unwrap() {
        let mut image = ImageBuffer::new();
        image_file::read(&file(case), 1, &mut image).unwrap();
        let expected = numbers(&case["values"]);
        assert_eq!(image.pixels().len(), expected.len());
        for (found, expected) in image.pixels().iter().zip(expected) {
            assert!((f64::from(*found) * 65535.0 - expected).abs() < 1e-2, "{found} {expected}");
        }
    }
}

#[test]
fn the_pages_of_a_tiff_file_are_images() {
    let goldens = goldens();
    for (number, expected) in goldens["pages"].as_array().unwrap().iter().enumerate() {
        let page = Page { path: named("pages.tif"), number };
        let mut image = ImageBuffer::new();
        image_file::read_page(&page, 1, &mut image).unwrap();
        for (found, expected) in image.pixels().iter().zip(numbers(expected)) {
            assert!((f64::from(*found) * 65535.0 - expected).abs() < 1e-2, "{found} {expected}");
        }
        let mut map = LabelMap::default();
        label_image::read(&page, None, &mut map).unwrap();
        assert_eq!(map.labels.iter().map(|&label| f64::from(label)).collect::<Vec<_>>(), numbers(expected));
    }
    let beyond = Page { path: named("pages.tif"), number: 2 };
    assert!(matches!(image_file::read_page(&beyond, 1, &mut ImageBuffer::new()), Err(DataError::Image { .. })));
}

#[test]
fn the_labels_of_an_image_are_its_values_not_its_colours() {
    let goldens = goldens();
    for (name, expected) in goldens["labels"].as_object().unwrap() {
        let mut map = LabelMap::default();
        label_image::read(&Page::from(named(name)), None, &mut map).unwrap();
        assert_eq!((map.height, map.width), (6, 9));
        assert_eq!(map.labels.iter().map(|&label| f64::from(label)).collect::<Vec<_>>(), numbers(expected), "{name}");
    }
    let classes = PixelClasses::in_order(3);
    let error = label_image::read(&Page::from(named("palette.png")), Some(&classes), &mut LabelMap::default());
    assert!(matches!(error, Err(DataError::PixelValue { .. })), "{error:?}");
}

/// Whatever is cut off or changed, the answer is an image or an error.
#[test]
fn broken_files_are_errors_not_panics() {
    let mut image = ImageBuffer::new();
    let mut refused = 0;
    for entry in fs::read_dir(named("")).unwrap() {
        let path = entry.unwrap().path();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            refused += usize::from(image_file::decode(&whole[..length], &path, 3, &mut image).is_err());
        }
        let mut changed = whole.clone();
        for place in 0..whole.len() {
            for change in [0x01, 0x80, 0xFF] {
                changed[place] ^= change;
                refused += usize::from(image_file::decode(&changed, &path, 3, &mut image).is_err());
                changed[place] = whole[place];
            }
        }
    }
    assert!(refused > 10_000, "{refused}");
}
