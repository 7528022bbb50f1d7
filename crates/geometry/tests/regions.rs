//! Distances, connected regions and watersheds against values made by `scripts/goldens/regions.py` with SciPy and
//! scikit-image, and against their definitions.

use gyrus_geometry::{connected_regions, distance_transform, watershed};
use proptest::prelude::*;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn labels(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|number| number as u32).collect()
}

#[test]
fn distances_regions_and_watersheds_are_those_of_the_references() {
    let golden: Value = serde_json::from_str(include_str!("golden/regions.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let [width, height] = ["width", "height"].map(|key| case[key].as_u64().unwrap() as usize);
        let mask: Vec<bool> = case["mask"].as_str().unwrap().bytes().map(|byte| byte == b'1').collect();
        let squares = |distances: Vec<f64>| distances.iter().map(|distance| (distance * distance).round()).collect();
        let found: Vec<f64> = squares(distance_transform(width, height, &mask));
        assert_eq!(found, numbers(&case["distance"]));
        assert_eq!(connected_regions(width, height, &mask), labels(&case["regions"]));
        let levels: Vec<f32> = numbers(&case["levels"]).into_iter().map(|level| level as f32).collect();
        let basins = watershed(width, height, &levels, &labels(&case["seeds"]), &mask);
        assert_eq!(basins, labels(&case["basins"]));
        let found: Vec<f64> = squares(distance_transform(width, height, &basins));
        assert_eq!(found, numbers(&case["own_distance"]));
    }
}

proptest! {
    #[test]
    fn a_distance_is_that_to_the_nearest_pixel_of_another_label(
        width in 1..9usize, labels in proptest::collection::vec(0..3u8, 1..60),
    ) {
        let height = labels.len() / width;
        let labels = &labels[..width * height];
        let found = distance_transform(width, height, labels);
        for place in 0..labels.len() {
            let square = |other: usize| {
                let [x, y] = [(place % width).abs_diff(other % width), (place / width).abs_diff(other / width)];
                (x * x + y * y) as f64
            };
            let others = (0..labels.len()).filter(|&other| labels[other] != labels[place]).map(square);
            let expected = if labels[place] == 0 { 0.0 } else { others.fold(f64::INFINITY, f64::min).sqrt() };
            prop_assert!(found[place] == expected || (found[place] - expected).abs() < 1e-12);
        }
    }
}
