//! Sizes, numbers and random changes.

use gyrus_data::transforms::{Scratch, resize};
use gyrus_data::{Augment, Dataset, Geometry, ImageBuffer, Pixels, Preprocess, Resize, Samples, Split};
use proptest::prelude::*;
use serde_json::Value;

fn image(geometry: Geometry) -> ImageBuffer {
    let pixels = (0..geometry.num_elements()).map(|i| ((31 * i * i + 17 * i) % 101) as f32 / 50.0 - 0.5).collect();
    ImageBuffer::from_pixels(geometry, pixels)
}

fn applied(augment: &str, image: &ImageBuffer, seed: u64, epoch: usize, index: usize) -> ImageBuffer {
    let mut image = image.clone();
    augment.parse::<Augment>().unwrap().apply(&mut image, &mut Scratch::default(), seed, epoch, index);
    image
}

#[test]
fn resizing_is_pillows() {
    let goldens: Value = serde_json::from_str(include_str!("reference/resize_goldens.json")).unwrap();
    let mut scratch = Scratch::default();
    let cases = goldens["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let number = |key: &str, place: usize| case[key][place].as_u64().unwrap() as usize;
        let mut image = image(Geometry::new(number("from", 0), number("from", 1), 1));
        resize(&mut image, number("to", 0), number("to", 1), &mut scratch);
        let expected = case["pixels"].as_array().unwrap();
        assert_eq!(image.pixels().len(), expected.len());
        for (found, expected) in image.pixels().iter().zip(expected) {
            assert!((found - expected.as_f64().unwrap() as f32).abs() < 2e-6, "{found} {expected}");
        }
    }
}

proptest! {
    #[test]
    fn resizing_keeps_a_constant_and_the_channels_apart(
        from in (1usize..12, 1usize..12), to in (1usize..20, 1usize..20), values in prop::array::uniform3(-9f32..9.0),
    ) {
        let geometry = Geometry::new(from.0, from.1, 3);
        let pixels = values.iter().flat_map(|&value| vec![value; geometry.num_pixels()]).collect();
        let mut image = ImageBuffer::from_pixels(geometry, pixels);
        resize(&mut image, to.0, to.1, &mut Scratch::default());
        prop_assert_eq!(image.geometry(), Geometry::new(to.0, to.1, 3));
        for (channel, value) in values.iter().enumerate() {
            prop_assert!(image.channel(channel).iter().all(|found| (found - value).abs() < 1e-5));
        }
    }

    #[test]
    fn a_frame_and_back_is_the_same_image(size in (1usize..9, 1usize..9), more in (0usize..9, 0usize..9)) {
        let original = image(Geometry::new(size.0, size.1, 2));
        let (mut framed, mut scratch) = (original.clone(), Scratch::default());
        let preprocess = Preprocess { fill: 7.0, ..Preprocess::new(original.geometry()) };
        preprocess.clone().placed_in(size.0 + more.0, size.1 + more.1).fit(&mut framed, &mut scratch);
        let num_filled = framed.pixels().iter().filter(|&&value| value == 7.0).count();
        prop_assert_eq!(num_filled, framed.pixels().len() - original.pixels().len());
        let middle = Preprocess { size: preprocess.size, ..Preprocess::new(framed.geometry()) };
        middle.fit(&mut framed, &mut scratch);
        prop_assert_eq!(framed, original);
    }

    /// Random changes of any kind stay within the values of the image.
    #[test]
    fn augmentation_invents_no_values(seed: u64, index in 0usize..100_000, size in (1usize..12, 1usize..12)) {
        let original = image(Geometry::new(size.0, size.1, 3));
        let changed = applied("strong,flip,light,erase(p=1)", &original, seed, 3, index);
        prop_assert_eq!(changed.geometry(), original.geometry());
        for channel in 0..3 {
            let (least, most) = original.channel(channel).iter().fold((9.0f32, -9.0f32), |(a, b), &v| (a.min(v), b.max(v)));
            let found = changed.channel(channel);
            prop_assert!(found.iter().all(|&value| least - 1e-4 <= value && value <= most + 1e-4));
        }
    }

    #[test]
    fn augmentation_is_written_as_it_is_read(
        rotate in (-360f32..0.0, 0f32..360.0), scale in (0.1f32..1.0, 1f32..3.0), p in 0f32..1.0, sigma in 0.5f32..9.0,
    ) {
        let text = format!(
            "affine(rotate={}..{},scale={}..{}),flip(probability={p}),elastic(alpha=3,sigma={sigma}),erase(p={p})",
            rotate.0, rotate.1, scale.0, scale.1
        );
        let augment: Augment = text.parse().unwrap();
        prop_assert_eq!(augment.operations().len(), 4);
        prop_assert_eq!(&augment.to_string().parse::<Augment>().unwrap(), &augment);
        let json = serde_json::to_string(&augment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Augment>(&json).unwrap(), augment);
    }
}

#[test]
fn letterbox_and_crop_keep_the_proportions() {
    let wide = ImageBuffer::from_pixels(Geometry::new(2, 4, 1), vec![1.0; 8]);
    let base = Preprocess { fill: 0.25, ..Preprocess::new(Geometry::new(4, 4, 1)) };
    let bars = base.clone().resized_to(4, 4, Resize::Letterbox).load(wide.clone()).unwrap();
    assert_eq!(bars, [[0.25; 4], [1.0; 4], [1.0; 4], [0.25; 4]].concat());
    let cropped = base.clone().resized_to(4, 4, Resize::Crop).load(wide.clone()).unwrap();
    assert_eq!(cropped, [1.0; 16]);
    let stretched = base.resized_to(4, 4, Resize::Stretch).load(wide).unwrap();
    assert_eq!(stretched, [1.0; 16]);
}

#[test]
fn statistics_are_those_of_the_training_split_without_padding() {
    let part = |split, pixels: Vec<f32>| Samples {
        split,
        path: "made up".into(),
        labels: vec![Some(0); pixels.len() / 2],
        pixels: Pixels::Floats(pixels),
        lines: None,
    };
    let parts = vec![part(Split::Train, vec![1.0, 7.0, 3.0, 7.0]), part(Split::Test, vec![99.0, 99.0])];
    let dataset = Dataset::from_samples(Geometry::new(1, 1, 2), vec!["a".into()], parts).unwrap();
    let preprocess = Preprocess::new(dataset.geometry()).placed_in(3, 3).measured(&dataset).unwrap();
    assert_eq!((preprocess.mean.clone(), preprocess.std.clone()), (vec![2.0, 7.0], vec![1.0, 1.0]));
    let loaded = preprocess.load(ImageBuffer::from_pixels(Geometry::new(1, 1, 2), vec![3.0, 7.0])).unwrap();
    assert_eq!((loaded[4], loaded[0], loaded[13], loaded[9]), (1.0, -2.0, 0.0, -7.0));
}

#[test]
fn augmentation_depends_on_seed_epoch_and_sample_only() {
    let original = image(Geometry::new(9, 9, 1));
    for augment in ["light", "strong", "affine(translate=0.3)", "elastic", "erase(p=1)"] {
        let base = applied(augment, &original, 1, 2, 3);
        assert_eq!(base, applied(augment, &original, 1, 2, 3), "{augment}");
        assert_ne!(base, original, "{augment}");
        assert_ne!(base, applied(augment, &original, 2, 2, 3), "{augment}");
        assert_ne!(base, applied(augment, &original, 1, 3, 3), "{augment}");
        assert_ne!(base, applied(augment, &original, 1, 2, 4), "{augment}");
    }
    assert_eq!(applied("none", &original, 1, 2, 3), original);
    // What a scratch was used for before does not matter.
    let (mut used, mut scratch) = (image(Geometry::new(30, 20, 3)), Scratch::default());
    let strong = Augment::strong();
    strong.apply(&mut used, &mut scratch, 0, 0, 0);
    let mut again = original.clone();
    strong.apply(&mut again, &mut scratch, 1, 2, 3);
    assert_eq!(again, applied("strong", &original, 1, 2, 3));
}

#[test]
fn affine_maps_do_what_their_names_say() {
    let original = ImageBuffer::from_pixels(Geometry::new(3, 3, 1), vec![1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    let close = |augment: &str, expected: [f32; 9]| {
        let found = applied(augment, &original, 0, 0, 0);
        let near = found.pixels().iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
        assert!(near, "{augment}: {:?}", found.pixels());
    };
    close("affine(rotate=90..90)", [7., 4., 1., 8., 5., 2., 9., 6., 3.]);
    close("affine(rotate=180..180)", [9., 8., 7., 6., 5., 4., 3., 2., 1.]);
    let third = "0.33333334..0.33333334";
    close(&format!("affine(translate={third})"), [1., 1., 2., 1., 1., 2., 4., 4., 5.]);
    close("affine(scale=2..2)", [3., 3.5, 4., 4.5, 5., 5.5, 6., 6.5, 7.]);
    close("affine(shear=45..45)", [2., 3., 3., 4., 5., 6., 7., 7., 8.]);
    close("flip(p=1)", [3., 2., 1., 6., 5., 4., 9., 8., 7.]);
    close("flip(p=0)", [1., 2., 3., 4., 5., 6., 7., 8., 9.]);
}

#[test]
fn a_constant_shift_field_is_undisturbed_and_erasing_paints_the_mean() {
    let original = image(Geometry::new(20, 20, 1));
    let still = applied("elastic(alpha=0)", &original, 0, 0, 0);
    assert_eq!(still, original);
    let erased = applied("erase(p=1,area=0.1..0.1)", &original, 0, 0, 0);
    let mean = original.pixels().iter().sum::<f32>() / 400.0;
    let changed: Vec<&f32> =
        erased.pixels().iter().zip(original.pixels()).filter(|(a, b)| a != b).map(|(a, _)| a).collect();
    assert!((20..=80).contains(&changed.len()), "{}", changed.len());
    assert!(changed.iter().all(|&&value| (value - mean).abs() < 1e-6));
}

#[test]
fn bad_augmentations_say_what_would_be_right() {
    let cases = [
        ("afine", "did you mean affine?"),
        ("affine(rotat=10)", "did you mean rotate?"),
        ("affine(rotate=ten)", "\"ten\" is not a number"),
        ("affine(scale=1.1)", "must be a range, such as 0.9..1.1"),
        ("affine(scale=1.1..0.9)", "the smaller first"),
        ("affine(scale=0..1)", "0.01..100"),
        ("affine(rotate=NaN)", "rotate must be degrees"),
        ("affine(rotate)", "must be a name, =, and a number"),
        ("affine(rotate=1", "the parenthesis is not closed"),
        ("flip(p=2)", "probability must be in 0..1"),
        ("elastic(sigma=0)", "sigma must be"),
        ("light(rotate=3)", "a preset takes no settings"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Augment>().unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(expected), "{text}: {error}");
    }
}
