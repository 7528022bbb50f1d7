//! Boxes, polygons and masks against values made by `scripts/goldens/geometry.py` with pycocotools and torchvision.

use gyrus_geometry::{
    Cxcywh, Mask, Polygon, Region, RunLengthMask, Xywh, Xyxy, non_maximum_suppression, non_maximum_suppression_by_class,
};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/geometry.json");

fn cases(key: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden[key].as_array().unwrap().clone();
    assert!(cases.len() >= 2);
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn places(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn size(case: &Value) -> (usize, usize) {
    (case["width"].as_u64().unwrap() as usize, case["height"].as_u64().unwrap() as usize)
}

fn xyxy(value: &Value) -> Vec<Xyxy> {
    numbers(value).chunks_exact(4).map(|row| Xyxy::new(row[0], row[1], row[2], row[3])).collect()
}

fn xywh(value: &Value) -> Vec<Xywh> {
    numbers(value).chunks_exact(4).map(|row| Xywh::new(row[0], row[1], row[2], row[3])).collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found}, expected {expected}");
    }
}

/// A function of all pairs, row-major.
fn pairs<T>(rows: &[T], columns: &[T], of: impl Fn(&T, &T, usize) -> f64) -> Vec<f64> {
    let row = |a: &T| columns.iter().enumerate().map(|(place, b)| of(a, b, place)).collect::<Vec<_>>();
    rows.iter().flat_map(row).collect()
}

#[test]
fn boxes_overlap_as_in_torchvision() {
    for case in cases("boxes") {
        let (a, b) = (xyxy(&case["a"]), xyxy(&case["b"]));
        let overlaps = pairs(&a, &b, |a, b, _| a.intersection_over_union(b));
        assert_close(&overlaps, &numbers(&case["iou"]));
        let generalised = pairs(&a, &b, |a, b, _| a.generalised_intersection_over_union(b));
        assert_close(&generalised, &numbers(&case["giou"]));
        let clipped: Vec<Xyxy> = a.iter().map(|own| own.clip(40, 30)).collect();
        assert_eq!(clipped, xyxy(&case["clipped_to_40_by_30"]));
    }
}

#[test]
fn boxes_overlap_as_in_coco_to_the_bit() {
    for case in cases("boxes") {
        let crowd = places(&case["crowd"]);
        let overlaps = pairs(&xywh(&case["a_xywh"]), &xywh(&case["b_xywh"]), |a, b, place| {
            if crowd[place] == 1 { a.intersection_over_area(b) } else { a.intersection_over_union(b) }
        });
        assert_eq!(overlaps, numbers(&case["coco_iou"]));
        assert!(overlaps.iter().any(|&overlap| overlap > 0.3));
    }
}

#[test]
fn formats_convert() {
    for case in cases("boxes") {
        let flat = |own: Cxcywh| [own.center_x, own.center_y, own.width, own.height];
        for (place, &own) in xyxy(&case["a"]).iter().enumerate() {
            let by_corner = xywh(&case["a_xywh"])[place];
            let by_center = &numbers(&case["a_cxcywh"])[4 * place..4 * place + 4];
            assert_eq!(Xywh::from(own), by_corner);
            assert_close(&flat(Cxcywh::from(own)), by_center);
            assert_close(&flat(Cxcywh::from(by_corner)), by_center);
            let back = [Xyxy::from(by_corner), Xyxy::from(Cxcywh::from(own)), Xywh::from(Cxcywh::from(own)).into()];
            for found in back {
                let sides = |own: &Xyxy| [own.left, own.top, own.right, own.bottom];
                assert_close(&sides(&found), &sides(&own));
            }
        }
    }
}

#[test]
fn suppression_is_torchvisions() {
    for case in cases("suppression") {
        let (boxes, scores, classes) = (xyxy(&case["boxes"]), numbers(&case["scores"]), places(&case["classes"]));
        let threshold = case["threshold"].as_f64().unwrap();
        assert_eq!(non_maximum_suppression(&boxes, &scores, threshold), places(&case["kept"]));
        let by_class = non_maximum_suppression_by_class(&boxes, &scores, &classes, threshold);
        assert_eq!(by_class, places(&case["kept_by_class"]));
    }
}

fn assert_described(mask: &RunLengthMask, case: &Value) {
    assert_eq!(mask.compressed(), case["compressed"].as_str().unwrap());
    assert_eq!(mask.area(), case["area"].as_f64().unwrap());
    assert_eq!(Xywh::from(mask.bounding_box()), xywh(&case["xywh"])[0]);
    let (width, height) = (mask.width(), mask.height());
    assert_eq!(&RunLengthMask::from_compressed(width, height, &mask.compressed()).unwrap(), mask);
    assert_eq!(&RunLengthMask::from(&Mask::from(mask)), mask);
    assert_eq!(Mask::from(mask).area(), mask.area());
}

#[test]
fn polygons_are_cocos_pixels_to_the_bit() {
    for case in cases("polygons") {
        let (width, height) = size(&case);
        let polygons = case["polygons"].as_array().unwrap().iter();
        let masks: Vec<RunLengthMask> = polygons
            .map(|polygon| Polygon::from_coordinates(&numbers(polygon)).unwrap().rasterise(width, height))
            .collect();
        for (mask, expected) in masks.iter().zip(case["masks"].as_array().unwrap()) {
            assert_described(mask, expected);
        }
        assert_described(&masks[0].merge(&masks[1]).merge(&masks[2]), &case["first_three"]);
        let crowd = places(&case["crowd"]);
        let overlaps = pairs(&masks, &masks[..crowd.len()], |a, b, place| {
            if crowd[place] == 1 { a.intersection_over_area(b) } else { a.intersection_over_union(b) }
        });
        assert_eq!(overlaps, numbers(&case["iou"]));
    }
}

#[test]
fn masks_encode_as_cocos() {
    for case in cases("masks") {
        let (width, height) = size(&case);
        let rows: String = case["rows"].as_array().unwrap().iter().map(|row| row.as_str().unwrap()).collect();
        let mask = Mask::from_pixels(width, height, rows.bytes().map(|byte| byte == b'1').collect()).unwrap();
        assert_described(&RunLengthMask::from(&mask), &case);
        assert_eq!(mask.bounding_box(), RunLengthMask::from(&mask).bounding_box());
    }
}
