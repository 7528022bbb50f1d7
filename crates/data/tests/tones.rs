//! Changes of light, colour and place, against torchvision.

use gyrus_data::transforms::{Area, Outside, Projection, Scratch, gaussian, tone, warp};
use gyrus_data::{Geometry, ImageBuffer};
use serde_json::Value;

fn goldens() -> Value {
    serde_json::from_str(include_str!("reference/transform_goldens.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn picture() -> ImageBuffer {
    let geometry = Geometry::new(8, 9, 3);
    let pixels = (0..geometry.num_elements()).map(|i| ((31 * i * i + 17 * i) % 101) as f32 / 100.0);
    ImageBuffer::from_pixels(geometry, pixels.collect())
}

#[test]
fn tones_are_torchvisions() {
    let goldens = goldens();
    let tones = goldens["tones"].as_object().unwrap();
    assert_eq!(tones.len(), 13);
    for (name, expected) in tones {
        let (mut image, mut scratch) = (picture(), Scratch::default());
        let (change, amount) = name.split_once(' ').unwrap_or((name, "0"));
        let amount: f32 = amount.parse().unwrap();
        match change {
            "brightness" => tone::brightness(&mut image, amount),
            "contrast" => tone::contrast(&mut image, amount),
            "saturation" => tone::saturation(&mut image, amount),
            "hue" => tone::hue(&mut image, amount),
            "sharpness" => tone::sharpness(&mut image, amount, &mut scratch),
            "posterize" => tone::posterize(&mut image, amount as u32),
            "solarize" => tone::solarize(&mut image, amount),
            "auto_contrast" => {
                image.pixels_mut().iter_mut().for_each(|value| *value = 0.2 + 0.5 * *value);
                tone::auto_contrast(&mut image);
            }
            "gaussian" => gaussian(&mut image, amount, &mut scratch),
            other => panic!("{other}"),
        }
        // Grey has four decimals there, and a blur that is cut off sooner weighs a little otherwise.
        let tolerance = if ["contrast", "saturation", "gaussian"].contains(&change) { 6e-4 } else { 2e-5 };
        for (place, (found, expected)) in image.pixels().iter().zip(numbers(expected)).enumerate() {
            assert!((found - expected).abs() < tolerance, "{name} at {place}: {found} {expected}");
        }
    }
}

/// Waves that a small change of place changes little.
fn waves() -> ImageBuffer {
    let geometry = Geometry::new(24, 30, 3);
    let value = |i: usize| {
        let (k, y, x) = (i / 720, i / 30 % 24, i % 30);
        (x as f32 / 5.0 + k as f32).sin() * (y as f32 / 7.0 - k as f32).cos() / 2.0 + 0.5
    };
    ImageBuffer::from_pixels(geometry, (0..geometry.num_elements()).map(value).collect())
}

#[test]
fn equalizing_is_torchvisions() {
    let mut image = waves();
    tone::equalize(&mut image);
    let expected = numbers(&goldens()["warps"]["equalize"]["pixels"]);
    // A value at the border of two levels may be rounded to either.
    let num_far = image.pixels().iter().zip(&expected).filter(|(a, b)| (*a - *b).abs() > 2e-5).count();
    assert!(num_far <= 4, "{num_far} of {}", expected.len());
}

/// The middle of the result, where no pixel from outside matters: there the two treat borders differently.
#[test]
fn warps_are_torchvisions() {
    let (goldens, source) = (goldens(), waves());
    let (sin, cos) = 20f64.to_radians().sin_cos();
    let rotation = Projection::about([15.0, 12.0], [[1.2 * cos, -1.2 * sin], [1.2 * sin, 1.2 * cos]]);
    let corners = [[3.0, 2.0], [27.0, 1.0], [26.0, 22.0], [1.0, 20.0]];
    for (name, projection) in [
        ("rotate", rotation.then(&Projection::shifting(2.0, -1.0))),
        ("perspective", Projection::of_corners(29.0, 23.0, corners).unwrap()),
        ("crop", Projection::shifting(-6.0, -4.0).then(&Projection::scaling(15.0 / 20.0, 8.0 / 16.0))),
    ] {
        let golden = &goldens["warps"][name];
        let size = numbers(&golden["size"]);
        let (height, width) = (size[0] as usize, size[1] as usize);
        let mut target = ImageBuffer::from_pixels(Geometry::new(height, width, 3), vec![0.0; height * width * 3]);
        let area = Area::whole(target.geometry());
        warp(&source, &mut target, &projection, area, Outside::Fill(0.0), &mut Scratch::default());
        let inverse = projection.inverse().unwrap();
        let mut compared = 0;
        for (place, (found, expected)) in target.pixels().iter().zip(numbers(&golden["pixels"])).enumerate() {
            let (row, column) = (place / width % height, place % width);
            let [x, y] = inverse.map([column as f64 + 0.5, row as f64 + 0.5]);
            let is_inner = (1.0..29.0).contains(&x) && (1.0..23.0).contains(&y);
            let is_middle = name != "crop" || ((1..height - 1).contains(&row) && (1..width - 1).contains(&column));
            if is_inner && is_middle {
                assert!((found - expected).abs() < 1e-4, "{name} at {place}: {found} {expected}");
                compared += 1;
            }
        }
        assert!(compared > target.pixels().len() / 2, "{name}: {compared}");
    }
}
