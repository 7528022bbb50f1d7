//! What theory promises of regions, and how bad input is refused.

use gyrus_geometry::{
    GeometryError, Mask, Point, Polygon, Region, RunLengthMask, Xyxy, non_maximum_suppression,
    non_maximum_suppression_by_class,
};
use proptest::prelude::*;

fn boxes() -> impl Strategy<Value = Xyxy> {
    (0..20u8, 0..20u8, 1..20u8, 1..20u8).prop_map(|(left, top, width, height)| {
        Xyxy::new(left.into(), top.into(), f64::from(left) + f64::from(width), f64::from(top) + f64::from(height))
    })
}

fn mask() -> impl Strategy<Value = Mask> {
    proptest::collection::vec(any::<bool>(), 6 * 5).prop_map(|pixels| Mask::from_pixels(6, 5, pixels).unwrap())
}

proptest! {
    #[test]
    fn overlap_is_symmetric_bounded_and_one_of_equals(a in boxes(), b in boxes()) {
        let overlap = a.intersection_over_union(&b);
        prop_assert_eq!(overlap, b.intersection_over_union(&a));
        prop_assert!((0.0..=1.0).contains(&overlap));
        prop_assert_eq!(overlap == 1.0, a == b);
        let generalised = a.generalised_intersection_over_union(&b);
        prop_assert!(generalised > -1.0 && generalised <= overlap);
    }

    #[test]
    fn suppression_is_idempotent(regions in proptest::collection::vec(boxes(), 0..30), threshold in 0.0..0.9f64) {
        let scores: Vec<f64> = (0..regions.len()).map(|place| ((place * 7) % 5) as f64).collect();
        let kept = non_maximum_suppression(&regions, &scores, threshold);
        let again: Vec<Xyxy> = kept.iter().map(|&place| regions[place]).collect();
        let again_scores: Vec<f64> = kept.iter().map(|&place| scores[place]).collect();
        prop_assert_eq!(non_maximum_suppression(&again, &again_scores, threshold).len(), kept.len());
        for (place, a) in again.iter().enumerate() {
            prop_assert!(again[..place].iter().all(|b| a.intersection_over_union(b) <= threshold));
        }
        let each_its_own: Vec<usize> = (0..regions.len()).collect();
        let all = non_maximum_suppression_by_class(&regions, &scores, &each_its_own, threshold);
        prop_assert_eq!(all.len(), regions.len());
    }

    #[test]
    fn run_lengths_lose_nothing_and_compare_as_pixels_do(a in mask(), b in mask()) {
        let (runs_a, runs_b) = (RunLengthMask::from(&a), RunLengthMask::from(&b));
        prop_assert_eq!(&Mask::from(&runs_a), &a);
        prop_assert_eq!(&RunLengthMask::from_compressed(6, 5, &runs_a.compressed()).unwrap(), &runs_a);
        prop_assert_eq!(runs_a.intersection(&runs_b), a.intersection(&b));
        prop_assert_eq!(runs_a.merge(&runs_b).area(), a.union(&b));
        prop_assert_eq!(runs_a.intersection_over_union(&runs_b), b.intersection_over_union(&a));
    }

    #[test]
    fn an_outline_encloses_the_pixels(mask in mask()) {
        let runs = RunLengthMask::from(&mask);
        let outline = runs.outline();
        prop_assert_eq!(&outline.rasterise(6, 5), &runs, "{:?}", outline);
        // Holes run the other way round, and cuts enclose nothing.
        prop_assert_eq!(outline.area(), mask.area());
    }

    #[test]
    fn a_label_images_masks_are_its_pixels(labels in proptest::collection::vec(0..4u32, 6 * 5)) {
        let masks = RunLengthMask::of_labels(6, 5, &labels).unwrap();
        for label in 1..4 {
            let mask = Mask::from_fn(6, 5, |x, y| labels[y * 6 + x] == label);
            prop_assert_eq!(masks.contains_key(&label), mask.area() > 0.0);
            if let Some(found) = masks.get(&label) {
                prop_assert_eq!(found, &RunLengthMask::from(&mask));
            }
        }
        prop_assert!(!masks.contains_key(&0));
    }

    #[test]
    fn any_outline_becomes_pixels(coordinates in proptest::collection::vec(-30.0..60.0f64, 0..12)) {
        let points = coordinates.chunks_exact(2).map(|pair| Point { x: pair[0], y: pair[1] }).collect();
        let polygon = Polygon::new(points);
        let (mask, outer) = (polygon.rasterise(31, 17), polygon.bounding_box());
        prop_assert_eq!(mask.runs().iter().sum::<u64>(), 31 * 17);
        let inner = mask.bounding_box();
        let within = inner.left >= outer.left - 1.0 && inner.right <= outer.right + 1.0;
        prop_assert!(inner.is_empty() || within, "{inner:?} of {outer:?}");
    }

    #[test]
    fn any_text_is_runs_or_an_error(text in "[0-o]{0,20}", strange in "\\PC{0,8}") {
        for text in [text, strange] {
            if let Ok(mask) = RunLengthMask::from_compressed(4, 3, &text) {
                prop_assert_eq!(mask.runs().iter().sum::<u64>(), 12);
            }
        }
    }
}

#[test]
fn far_corners_and_no_numbers_are_no_danger() {
    let far = Polygon::from_coordinates(&[0.0, 0.0, 1e300, 0.0, f64::INFINITY, 1e300, f64::NAN, 5.0]).unwrap();
    assert_eq!(far.rasterise(3, 3).runs().iter().sum::<u64>(), 9);
}

#[test]
fn runs_of_no_length_are_joined() {
    let mask = RunLengthMask::from_runs(3, 2, &[0, 2, 0, 1, 3, 0]).unwrap();
    assert_eq!(mask.runs(), [0, 3, 3]);
    assert_eq!(mask, RunLengthMask::from_runs(3, 2, &[0, 3, 3]).unwrap());
}

#[test]
fn bad_input_is_refused() {
    let error = RunLengthMask::from_runs(3, 2, &[1, 2]).unwrap_err();
    assert_eq!(error, GeometryError::RunLengths { found: 3, width: 3, height: 2 });
    assert!(error.to_string().contains("must sum to 6"));
    let byte = RunLengthMask::from_compressed(3, 2, "1 ").unwrap_err();
    assert_eq!(byte, GeometryError::CompressedByte { byte: b' ', place: 1 });
    let cut = RunLengthMask::from_compressed(3, 2, "1o").unwrap_err();
    assert_eq!(cut, GeometryError::CompressedNumber { place: 2 });
    let negative = RunLengthMask::from_compressed(3, 2, "O").unwrap_err();
    assert_eq!(negative, GeometryError::CompressedNumber { place: 0 });
    assert!(matches!(Mask::from_pixels(2, 2, vec![true]), Err(GeometryError::PixelCount { found: 1, .. })));
    assert!(matches!(Polygon::from_coordinates(&[1.0]), Err(GeometryError::Coordinates { found: 1 })));
}
