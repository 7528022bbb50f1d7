//! Boxes and masks follow the pixels of their images.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gyrus_data::target::{Page, PlacedObject};
use gyrus_data::transforms::Projection;
use gyrus_data::{
    Augment, Batch, Dataset, IGNORED_PIXEL, ImageFile, Loader, LoaderConfig, Object, Preprocess, Resize, Split, Target,
};
use gyrus_geometry::{Polygon, RunLengthMask, Xyxy};
use image::{GrayImage, Luma};
use proptest::prelude::*;

/// A light rectangle on a dark image, as a sample of the training split.
fn rectangle(folder: &Path, [left, top, right, bottom]: [u32; 4], shape: u32) -> ImageFile {
    let path = folder.join(format!("{left}_{top}_{right}_{bottom}.png"));
    let inside = |x: u32, y: u32| (left..right).contains(&x) && (top..bottom).contains(&y);
    GrayImage::from_fn(60, 40, |x, y| Luma([if inside(x, y) { 255 } else { 0 }])).save(&path).unwrap();
    let [left, top, right, bottom] = [left, top, right, bottom].map(f64::from);
    let object = match shape {
        0 => Object::of_box(0, Xyxy::new(left, top, right, bottom)),
        1 => {
            let corners = [left, top, right, top, right, bottom, left, bottom];
            Object::of_polygons(0, vec![Polygon::from_coordinates(&corners).unwrap()])
        }
        _ => {
            let mask = gyrus_geometry::Mask::from_fn(60, 40, |x, y| inside(x as u32, y as u32));
            let shape = gyrus_data::target::Shape::Runs(RunLengthMask::from(&mask));
            Object { shape, ..Object::of_box(0, Xyxy::new(left, top, right, bottom)) }
        }
    };
    ImageFile { split: Split::Train, target: Target::Objects(vec![object]), image: path.into() }
}

fn loader(files: Vec<ImageFile>, augment: &str, config: impl FnOnce(&mut LoaderConfig)) -> Loader {
    let classes = vec!["light".to_string(), "other".to_string()];
    let dataset = Arc::new(Dataset::from_files(classes, files).unwrap());
    let preprocess = Preprocess::new(dataset.geometry()).resized_to(64, 96, Resize::Letterbox);
    let augment: Augment = augment.parse().unwrap();
    let mut settings = LoaderConfig { workers: 0, augment, ..LoaderConfig::new(preprocess) };
    config(&mut settings);
    Loader::new(dataset, Split::Train, settings).unwrap()
}

/// The bounds of what is light in an image of a batch.
fn light(batch: &Batch, place: usize) -> Option<Xyxy> {
    let [_, channels, height, width] = batch.shape;
    let image = &batch.images[place * channels * height * width..][..height * width];
    let lit = (0..height * width).filter(|&pixel| image[pixel] > 0.5);
    lit.map(|pixel| {
        let (x, y) = ((pixel % width) as f64, (pixel / width) as f64);
        Xyxy::new(x, y, x + 1.0, y + 1.0)
    })
    .reduce(|a, b| a.hull(&b))
}

fn distance(a: &Xyxy, b: &Xyxy) -> f64 {
    let pairs = [(a.left, b.left), (a.top, b.top), (a.right, b.right), (a.bottom, b.bottom)];
    pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A rectangle goes where its box goes, for boxes, outlines and run lengths; and so do the labels of its pixels.
    #[test]
    fn boxes_follow_pixels(
        left in 4u32..30, top in 4u32..20, width in 8u32..26, height in 8u32..16, shape in 0u32..3, seed: u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = rectangle(folder.path(), [left, top, left + width, top + height], shape);
        // Without turns, corners of boxes are corners of rectangles; a polygon knows its corners in any case.
        let turns = if shape == 1 { "rotate=180,shear=20," } else { "" };
        let augment = format!("affine({turns}scale=0.8..1.3,translate=0.1),flip,vertical_flip,perspective(distortion=0.2)");
        let augment = if shape == 1 { augment } else { augment.replace(",perspective(distortion=0.2)", ",crop(area=0.7..1)") };
        let loader = loader(vec![file], &augment, |config| {
            config.object_pixels = shape > 0;
            config.seed = seed;
        });
        let batch = loader.epoch(0, 0).next().unwrap().unwrap();
        match (batch.objects_of(0), light(&batch, 0)) {
            ([object], Some(light)) => {
                // Light pixels begin in the middle of the blur at the edge.
                prop_assert!(distance(&object.bounds, &light) < 1.6, "{:?} {:?}", object.bounds, light);
                if shape > 0 {
                    let labelled = labelled(&batch, 0, 1).unwrap();
                    prop_assert!(distance(&labelled, &light) < 1.6, "{labelled:?} {light:?}");
                }
            }
            // Too little is seen of it.
            ([], _) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}

/// The bounds of the pixels with a label.
fn labelled(batch: &Batch, place: usize, label: i64) -> Option<Xyxy> {
    let [_, _, height, width] = batch.shape;
    let labels = &batch.pixel_labels[place * height * width..][..height * width];
    let pixels = (0..height * width).filter(|&pixel| labels[pixel] == label);
    pixels
        .map(|pixel| {
            let (x, y) = ((pixel % width) as f64, (pixel / width) as f64);
            Xyxy::new(x, y, x + 1.0, y + 1.0)
        })
        .reduce(|a, b| a.hull(&b))
}

fn one(files: Vec<ImageFile>, augment: &str, object_pixels: bool) -> Batch {
    let loader = loader(files, augment, |config| config.object_pixels = object_pixels);
    loader.epoch(0, 0).next().unwrap().unwrap()
}

#[test]
fn twice_mirrored_is_not_mirrored() {
    let folder = tempfile::tempdir().unwrap();
    let file = || vec![rectangle(folder.path(), [5, 6, 20, 30], 1)];
    let plain = one(file(), "none", true);
    for mirror in ["flip(p=1)", "vertical_flip(p=1)"] {
        let once = one(file(), mirror, true);
        assert_ne!(once.images, plain.images);
        let twice = one(file(), &format!("{mirror},{mirror}"), true);
        assert_eq!(
            (&twice.images, &twice.objects, &twice.pixel_labels),
            (&plain.images, &plain.objects, &plain.pixel_labels)
        );
    }
    assert!(distance(&plain.objects[0].bounds, &Xyxy::new(8.0, 9.6, 32.0, 48.0)) < 1e-9);
    let projection: &Projection = &plain.projections[0];
    assert_eq!(projection.inverse().unwrap().map([32.0, 48.0]), [20.0, 30.0]);
}

#[test]
fn an_object_that_is_hardly_seen_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = || vec![rectangle(folder.path(), [10, 10, 20, 30], 1)];
    // The frame is 96 wide, the image fills it with 1.6 to 1: the object is at 16..32.
    let moved = |pixels: f64| {
        let share = -pixels / 96.0;
        one(file(), &format!("affine(translate={share}..{share})"), true)
    };
    let seen = moved(24.0);
    assert!((seen.objects[0].bounds.right - 8.0).abs() < 1e-4 && seen.objects[0].bounds.left == 0.0);
    assert_eq!(moved(31.0).objects.len(), 0);
    assert!(moved(31.0).pixel_labels.iter().all(|&label| label == 0));
}

/// Four images with one rectangle each.
fn four(folder: &Path) -> Vec<ImageFile> {
    (0..4).map(|number| rectangle(folder, [10 + number, 10, 40, 30], 1)).collect()
}

#[test]
fn a_mosaic_has_the_objects_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let batch = one(four(folder.path()), "mosaic(p=1,scale=0.5..0.5)", true);
    let num_objects: Vec<usize> = (0..4).map(|place| batch.objects_of(place).len()).collect();
    assert_eq!(num_objects, [4; 4]);
    for place in 0..4 {
        for (number, PlacedObject { bounds, .. }) in batch.objects_of(place).iter().enumerate() {
            let labelled = labelled(&batch, place, number as i64 + 1).unwrap();
            assert!(distance(bounds, &labelled) < 1.01, "{bounds:?} {labelled:?}");
        }
        let all = batch.objects_of(place).iter().map(|object| object.bounds).reduce(|a, b| a.hull(&b)).unwrap();
        assert!(distance(&all, &light(&batch, place).unwrap()) < 1.6);
    }
}

#[test]
fn a_patch_hides_objects_and_their_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let batch = one(four(folder.path()), "cutmix(p=1,alpha=1)", true);
    for place in 0..4 {
        let count = batch.objects_of(place).len() as i64;
        let size = 64 * 96;
        let labels = &batch.pixel_labels[place * size..(place + 1) * size];
        assert!(labels.iter().all(|&label| (0..=count).contains(&label)));
        // What is labelled is light.
        let values = &batch.images[place * size..];
        assert!(labels.iter().zip(values).all(|(&label, &value)| label == 0 || value > 0.4), "{place}");
    }
}

/// Images of one colour, which tells their class.
fn plain(folder: &Path) -> Vec<ImageFile> {
    let file = |class: usize| {
        let path = folder.join(format!("{class}.png"));
        GrayImage::from_pixel(96, 64, Luma([255 * class as u8])).save(&path).unwrap();
        ImageFile { split: Split::Train, target: Target::Class(class), image: path.into() }
    };
    vec![file(0), file(1)]
}

#[test]
fn mixed_images_have_the_weights_of_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    for augment in ["mixup(p=1,alpha=1)", "cutmix(p=1,alpha=1)", "mosaic(p=1,scale=2..2)"] {
        for epoch in 0..8 {
            let loader = loader(plain(folder.path()), augment, |config| config.seed = 3);
            let batch = loader.epoch(epoch, 0).next().unwrap().unwrap();
            for place in 0..2 {
                let mean = batch.images[place * 6144..(place + 1) * 6144].iter().sum::<f32>() / 6144.0;
                let weights = &batch.weights[2 * place..2 * place + 2];
                assert!((weights[1] - mean).abs() < 0.02, "{augment}: {weights:?} {mean}");
                assert!((weights[0] + weights[1] - 1.0).abs() < 1e-5);
                assert_eq!(batch.labels[place], i64::from(weights[1] > weights[0]));
            }
        }
    }
    let batch = loader(plain(folder.path()), "flip", |_| {}).epoch(0, 0).next().unwrap().unwrap();
    assert!(batch.weights.is_empty());
}

#[test]
fn several_classes_are_weights() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = plain(folder.path());
    files[0].target = Target::Classes(vec![0, 1]);
    files[1].target = Target::Classes(vec![]);
    let batch = loader(files, "flip", |_| {}).epoch(0, 0).next().unwrap().unwrap();
    assert_eq!((batch.weights.clone(), batch.labels.len(), batch.len()), (vec![1.0, 1.0, 0.0, 0.0], 0, 2));
}

/// Images whose mask is whether a pixel is light.
fn masked(folder: &Path) -> Vec<ImageFile> {
    let file = |number: u32| {
        let path = folder.join(format!("{number}.png"));
        let is_light = |x: u32, y: u32| (x / (5 + number) + y / 7) % 2;
        GrayImage::from_fn(60, 40, |x, y| Luma([255 * is_light(x, y) as u8])).save(&path).unwrap();
        let mask = folder.join(format!("{number}_mask.png"));
        GrayImage::from_fn(60, 40, |x, y| Luma([is_light(x, y) as u8])).save(&mask).unwrap();
        ImageFile { split: Split::Train, target: Target::PixelClasses(Page::from(mask)), image: path.into() }
    };
    (0..4).map(file).collect()
}

#[test]
fn masks_follow_pixels_and_what_is_outside_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    for augment in
        ["none", "affine(rotate=40,scale=0.6..1)", "crop,flip", "perspective", "mosaic,affine(rotate=10)", "cutmix"]
    {
        let loader = loader(masked(folder.path()), augment, |config| config.preprocess.fill = 0.5);
        let batch = loader.epoch(2, 0).next().unwrap().unwrap();
        let mut num_wrong = 0;
        let mut counts = [0; 3];
        for (&value, &label) in batch.images.iter().zip(&batch.pixel_labels) {
            counts[(label + 1) as usize] += 1;
            match label {
                IGNORED_PIXEL => assert_eq!(value, 0.5, "{augment}"),
                label => num_wrong += usize::from((value > 0.5) != (label == 1) && (value - 0.5).abs() > 0.2),
            }
        }
        assert!(num_wrong * 100 < batch.images.len(), "{augment}: {num_wrong}");
        assert!(counts[1] > 1000 && counts[2] > 1000, "{augment}: {counts:?}");
    }
    let refused = |augment: &str| {
        let augment: Augment = augment.parse().unwrap();
        let dataset = Dataset::from_files(vec!["a".into(), "b".into()], masked(folder.path())).unwrap();
        let preprocess = Preprocess::new(dataset.geometry());
        Loader::new(Arc::new(dataset), Split::Train, LoaderConfig { augment, ..LoaderConfig::new(preprocess) })
    };
    assert!(refused("mixup").unwrap_err().to_string().contains("a pixel has one label"));
    assert!(refused("elastic").is_ok());
}

#[test]
fn objects_that_are_given_by_pixels_have_boxes_around_what_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = |number: u32| {
        let path = folder.path().join(format!("{number}.png"));
        let object = |x: u32, y: u32| {
            let inside = (10..20).contains(&y);
            if inside && (5..15).contains(&x) { 700 } else { u16::from(inside && (30..50 + number).contains(&x)) }
        };
        GrayImage::from_fn(60, 40, |x, y| Luma([255 * u8::from(object(x, y) > 0)])).save(&path).unwrap();
        let mask = folder.path().join(format!("{number}_mask.png"));
        image::ImageBuffer::from_fn(60, 40, |x, y| Luma([object(x, y)])).save(&mask).unwrap();
        ImageFile { split: Split::Train, target: Target::PixelObjects(Page::from(mask)), image: path.into() }
    };
    for object_pixels in [false, true] {
        let batch = one(vec![file(0), file(1)], "none", object_pixels);
        let boxes: Vec<Xyxy> = batch.objects_of(0).iter().map(|object| object.bounds).collect();
        assert_eq!(boxes, [Xyxy::new(8.0, 16.0, 24.0, 32.0), Xyxy::new(48.0, 16.0, 80.0, 32.0)]);
        assert_eq!(batch.pixel_labels.is_empty(), !object_pixels);
        for augment in ["mosaic(p=1)", "affine(rotate=90)", "cutmix(p=1)"] {
            let batch = one(vec![file(0), file(1)], augment, object_pixels);
            for (place, number) in (0..2).flat_map(|place| (1..=batch.objects_of(place).len()).map(move |n| (place, n)))
            {
                if object_pixels && let Some(labelled) = labelled(&batch, place, number as i64) {
                    let PlacedObject { bounds, .. } = batch.objects_of(place)[number - 1];
                    assert!(bounds.hull(&labelled) == bounds, "{augment}: {bounds:?} {labelled:?}");
                }
            }
        }
    }
}

type Plain = (Vec<f32>, Vec<PlacedObject>, Vec<usize>, Vec<i64>, Vec<usize>);

#[test]
fn workers_and_the_first_batch_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = || (0..11).map(|n| rectangle(folder.path(), [5 + n, 6, 30 + n, 30], n % 3)).collect::<Vec<_>>();
    let augment = "mosaic(p=0.5),affine(rotate=20,scale=0.5..1.5),flip,mixup(p=0.0),rand_augment";
    assert!(augment.parse::<Augment>().unwrap_err().to_string().contains("must stand before mixup"));
    let augment = "mosaic(p=0.5),affine(rotate=20,scale=0.5..1.5),flip,rand_augment,cutmix(p=0.5),jitter,noise,blur";
    let collect = |workers, start| {
        let loader = loader(files(), augment, |config| {
            (config.workers, config.batch_size, config.shuffle, config.object_pixels) = (workers, 3, true, true);
        });
        let plain = |batch: Batch| -> Plain {
            let Batch { images, objects, object_ends, pixel_labels, indices, .. } = &batch;
            (images.clone(), objects.clone(), object_ends.clone(), pixel_labels.clone(), indices.clone())
        };
        loader.epoch(1, start).map(|batch| plain(batch.unwrap())).collect::<Vec<_>>()
    };
    let expected = collect(0, 0);
    assert_eq!(expected.len(), 4);
    assert!(expected.iter().any(|batch| batch.1.len() > 3));
    assert_eq!(collect(3, 0), expected);
    assert_eq!(collect(2, 2)[..], expected[2..]);
}

#[test]
fn a_mask_of_another_size_is_an_error_of_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let files = masked(folder.path());
    GrayImage::new(59, 40).save(folder.path().join("2_mask.png")).unwrap();
    let error = loader(files, "none", |_| {}).epoch(0, 0).next().unwrap().unwrap_err().to_string();
    assert!(error.contains("2_mask.png: is 40x59 (height x width), its image is 40x60"), "{error}");
    fs::remove_file(folder.path().join("2_mask.png")).unwrap();
}

#[test]
fn the_contact_sheet_shows_boxes() {
    let folder = tempfile::tempdir().unwrap();
    let loader = loader(four(folder.path()), "none", |config| config.object_pixels = true);
    let batch = loader.epoch(0, 0).next().unwrap().unwrap();
    let sheet = gyrus_data::contact_sheet(&batch, &loader.config().preprocess, 3);
    // Two rows of three, with gaps.
    assert_eq!((sheet.height(), sheet.width()), (2 * 68 + 4, 3 * 100 + 4));
    let bounds = batch.objects_of(0)[0].bounds;
    let corner = sheet.pixel(4 + bounds.left as usize, 4 + bounds.top as usize);
    assert_eq!(corner, gyrus_draw::color_of(0));
}
