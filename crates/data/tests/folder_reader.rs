//! Folders of image files, sound and broken; and what else a path may be.

use std::fs;
use std::path::Path;

use gyrus_data::checks::FindingKind;
use gyrus_data::readers::image_file;
use gyrus_data::{DataError, Dataset, Geometry, ImageBuffer, Layout, Preprocess, Resize, Split, check};
use image::{DynamicImage, GrayImage, ImageBuffer as Raster, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};

fn grey(height: u32, width: u32, seed: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([(x * 37 + y * 11 + seed * 5) as u8]))
}

fn save(image: impl Into<DynamicImage>, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.into().save(path).unwrap();
}

fn read(path: &Path, channels: usize) -> ImageBuffer {
    let mut image = ImageBuffer::new();
    image_file::read(path, channels, &mut image).unwrap();
    image
}

/// Two classes of two images.
fn sound() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (seed, name) in ["cat/1.png", "cat/deep/2.png", "dog/3.png", "dog/4.pgm"].iter().enumerate() {
        save(grey(4, 6, seed as u32), &folder.path().join(name));
    }
    folder
}

#[test]
fn folders_are_classes() {
    let folder = sound();
    fs::write(folder.path().join("dog/notes.txt"), "good dogs").unwrap();
    fs::write(folder.path().join("dog/.hidden.png"), "not an image").unwrap();
    assert_eq!(Layout::detect(folder.path()).unwrap(), Layout::ImageFolder);
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(dataset.to_string(), "4 training images, 4x6 grey, 2 classes: cat, dog");
    assert_eq!((0..4).map(|index| dataset.label(index).unwrap()).collect::<Vec<_>>(), [0, 0, 1, 1]);
    let mut image = ImageBuffer::new();
    dataset.read(3, &mut image).unwrap();
    assert_eq!(image.pixels()[1], (37 + 15) as f32 / 255.0);
    let report = check(&dataset);
    assert!(report.passed() && report.finding(FindingKind::LeftOut).is_some(), "{report}");
}

#[test]
fn folders_may_be_splits() {
    for validation in ["val", "valid", "validation"] {
        let folder = tempfile::tempdir().unwrap();
        let names = ["train/10/a.png", "train/9/b.png", &format!("{validation}/9/c.png"), "test/10/d.png"];
        for (seed, name) in names.iter().enumerate() {
            save(grey(3, 3, seed as u32), &folder.path().join(name));
        }
        let dataset = Dataset::open(folder.path()).unwrap();
        assert_eq!(dataset.classes(), ["9", "10"]);
        let origin = |split| dataset.origin(dataset.indices(split)[0]).to_string();
        assert!(origin(Split::Validation).ends_with("c.png") && origin(Split::Test).ends_with("d.png"));
    }
    let folder = sound();
    fs::create_dir(folder.path().join("train")).unwrap();
    let error = Dataset::open(folder.path()).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("cat is none"), "{error}");
}

#[test]
fn every_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let image = RgbImage::from_fn(8, 8, |x, _| if x < 4 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) });
    for extension in ["png", "jpg", "bmp", "gif", "webp", "tiff", "ppm"] {
        let path = folder.path().join(format!("image.{extension}"));
        save(image.clone(), &path);
        assert_eq!(image_file::probe(&path).unwrap(), Geometry::new(8, 8, 3), "{extension}");
        let read = read(&path, 3);
        let corner = [0, 1, 2].map(|channel| read.channel(channel)[0]);
        assert!(corner[0] > 0.95 && corner[1] < 0.05 && corner[2] < 0.05, "{extension}: {corner:?}");
    }
    // The content tells the format, not the name.
    fs::copy(folder.path().join("image.gif"), folder.path().join("wrong.png")).unwrap();
    assert_eq!(read(&folder.path().join("wrong.png"), 3).channel(0)[0], 1.0);
}

#[test]
fn samples_keep_their_precision_and_transparency_is_white() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.png");
    save(Raster::<Luma<u16>, _>::from_pixel(1, 1, Luma([12345])), &path);
    assert_eq!(read(&path, 1).pixels(), [12345.0 / 65535.0]);
    save(Raster::<Rgb<u16>, _>::from_pixel(1, 1, Rgb([65535, 0, 1])), &path);
    assert_eq!(read(&path, 3).pixels(), [1.0, 0.0, 1.0 / 65535.0]);
    save(Raster::<LumaA<u8>, _>::from_pixel(1, 1, LumaA([51, 0])), &path);
    assert_eq!(read(&path, 1).pixels(), [1.0]);
    save(Raster::<Rgba<u8>, _>::from_pixel(1, 1, Rgba([255, 0, 0, 51])), &path);
    assert_eq!(read(&path, 3).pixels().iter().map(|value| (value * 5.0).round()).collect::<Vec<_>>(), [5.0, 4.0, 4.0]);
    save(RgbImage::from_pixel(1, 1, Rgb([255, 0, 0])), &path);
    assert!((read(&path, 1).pixels()[0] - 0.299).abs() < 1e-6);
    save(GrayImage::from_pixel(1, 1, Luma([51])), &path);
    assert_eq!(read(&path, 3).pixels(), [0.2; 3]);
}

/// A JPEG file with an orientation noted in EXIF.
fn turned_jpeg(orientation: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 255 } else { 0 }]));
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    let tiff = [b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
    let segment = [&b"Exif\0\0"[..], &tiff].concat();
    let length = (segment.len() as u16 + 2).to_be_bytes();
    let bytes = bytes.into_inner();
    [&bytes[..2], &[0xFF, 0xE1], &length, &segment, &bytes[2..]].concat()
}

#[test]
fn the_cameras_orientation_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    let brightest = |orientation| {
        fs::write(&path, turned_jpeg(orientation)).unwrap();
        let image = read(&path, 1);
        assert_eq!(image_file::probe(&path).unwrap(), image.geometry());
        let Geometry { height, width, .. } = image.geometry();
        let at = |row: usize, column: usize| image.pixels()[row * width + column] > 0.5;
        (height, width, at(0, 0), at(0, width - 1), at(height - 1, 0))
    };
    assert_eq!(brightest(1), (8, 16, true, false, true));
    assert_eq!(brightest(3), (8, 16, false, true, false));
    assert_eq!(brightest(6), (16, 8, true, true, false));
}

#[test]
fn broken_images_are_errors_of_the_gate() {
    let folder = sound();
    let path = folder.path();
    save(grey(40, 60, 9), &path.join("cat/cut.png"));
    let bytes = fs::read(path.join("cat/cut.png")).unwrap();
    fs::write(path.join("cat/cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    let jpeg = turned_jpeg(1);
    fs::write(path.join("cat/cut.jpg"), &jpeg[..jpeg.len() - 4]).unwrap();
    fs::write(path.join("cat/empty.png"), "").unwrap();
    fs::write(path.join("cat/text.png"), "this is no image").unwrap();
    let report = check(&Dataset::open(path).unwrap());
    let unreadable = report.finding(FindingKind::Unreadable).unwrap();
    assert_eq!(unreadable.total, 4, "{report}");
    for name in ["cut.png", "cut.jpg", "empty.png", "text.png"] {
        assert!(unreadable.examples.iter().any(|example| example.contains(name)), "{name}: {report}");
    }
    assert!(!report.passed());
    let mut image = ImageBuffer::new();
    let error = image_file::read(&path.join("cat/cut.png"), 1, &mut image).unwrap_err();
    assert!(matches!(error, DataError::Image { .. }), "{error}");
}

#[test]
fn other_sizes_constant_images_and_copies_are_warnings() {
    let folder = sound();
    save(grey(5, 6, 0), &folder.path().join("cat/larger.png"));
    save(GrayImage::from_pixel(6, 4, Luma([9])), &folder.path().join("cat/blank.png"));
    save(grey(4, 6, 0), &folder.path().join("dog/copy.bmp"));
    let report = check(&Dataset::open(folder.path()).unwrap());
    assert!(report.passed(), "{report}");
    let examples = |kind| report.finding(kind).unwrap().examples.join(" ");
    assert!(examples(FindingKind::OtherSize).contains("larger.png: 5x6"), "{report}");
    assert!(examples(FindingKind::Constant).contains("blank.png"), "{report}");
    let copies = examples(FindingKind::Duplicate);
    assert!(copies.contains("copy.bmp is ") && copies.contains("1.png"), "{report}");
    assert_eq!(report.finding(FindingKind::Contradiction).unwrap().total, 1, "{report}");
}

#[test]
fn a_path_without_data_says_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| Dataset::open(path).unwrap_err().to_string();
    assert!(message(&folder.path().join("nowhere")).contains("check the spelling of the path"));
    assert!(message(folder.path()).contains("the folder is empty"));
    save(grey(2, 2, 0), &folder.path().join("a.png"));
    assert!(message(folder.path()).contains("its images are in no class's folder"));
    assert!(message(&folder.path().join("a.png")).contains("a single image is not a dataset"));
    save(grey(2, 2, 0), &folder.path().join("x/a.png"));
    assert!(message(folder.path()).contains("a.png is in no class's folder"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "x").unwrap();
    assert!(message(folder.path()).contains("none of the known formats"));
    assert!(message(&folder.path().join("a.txt")).contains("none of the known formats"));
    fs::remove_file(folder.path().join("a.txt")).unwrap();
    fs::create_dir(folder.path().join("cat")).unwrap();
    assert!(message(folder.path()).contains("there are no images in it"));
}

#[test]
fn two_layouts_at_once_are_ambiguous_and_can_be_named() {
    let folder = sound();
    fs::write(folder.path().join("train.csv"), "1,0,0,0,1\n2,1,0,0,1\n").unwrap();
    let error = Dataset::open(folder.path()).unwrap_err();
    assert!(error.is_usage(), "{error}");
    assert!(error.to_string().contains("image_folder") && error.to_string().contains("pixel_csv"), "{error}");
    assert_eq!("pixel_csv".parse::<Layout>().unwrap().open(folder.path()).unwrap().len(), 2);
    assert!("png".parse::<Layout>().unwrap_err().to_string().contains("idx, image_folder, pixel_csv"));
}

#[test]
fn a_single_image_is_prepared_like_the_others() {
    let folder = sound();
    let path = folder.path().join("cat/1.png");
    let preprocess = Preprocess::new(Geometry::new(4, 6, 1)).placed_in(6, 6);
    let loaded = preprocess.load_file(&path).unwrap();
    assert_eq!(loaded.len(), 36);
    assert_eq!((loaded[0], loaded[7]), (0.0, 37.0 / 255.0));
    assert_eq!(loaded, preprocess.load_bytes(&fs::read(&path).unwrap(), "upload").unwrap());
    let inverted = Preprocess { invert: true, ..preprocess.clone() }.load_file(&path).unwrap();
    assert_eq!((inverted[0], inverted[7]), (0.0, 1.0 - 37.0 / 255.0));
    let colour = Preprocess::new(Geometry::new(8, 8, 3)).resized_to(8, 8, Resize::Letterbox);
    assert_eq!(colour.load_file(&path).unwrap().len(), 192);
    assert!(preprocess.load_bytes(b"junk", "upload.png").unwrap_err().to_string().starts_with("upload.png: "));
}
