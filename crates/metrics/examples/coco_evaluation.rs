//! Evaluates a file of results in COCO's format against one of truths, and says how long that took.
//!
//! ```text
//! cargo run --release -p gyrus-metrics --example coco_evaluation -- TRUTHS.json RESULTS.json bbox|segm
//! ```

use std::collections::BTreeMap;
use std::time::Instant;
use std::{env, fs};

use gyrus_geometry::{Region, RunLengthMask, Xywh};
use gyrus_metrics::{CocoEvaluator, Detection, Truth};
use serde_json::Value;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [truths, results, kind] = arguments.as_slice() else {
        panic!("usage: coco_evaluation TRUTHS.json RESULTS.json bbox|segm");
    };
    let read = |path: &str| -> Value { serde_json::from_slice(&fs::read(path).expect(path)).expect(path) };
    let (truths, results) = (read(truths), read(results));
    if kind == "segm" {
        evaluate(&truths, &results, |own| {
            let mask = &own["segmentation"];
            let side = |place: usize| mask["size"][place].as_u64().expect("a size") as usize;
            let text = mask["counts"].as_str().expect("compressed counts");
            RunLengthMask::from_compressed(side(1), side(0), text).expect("run lengths")
        });
    } else {
        evaluate(&truths, &results, |own| {
            let side = |place: usize| own["bbox"][place].as_f64().expect("a number");
            Xywh::new(side(0), side(1), side(2), side(3))
        });
    }
}

type Picture<R> = (Vec<Truth<R>>, Vec<Detection<R>>);

fn evaluate<R: Region>(truths: &Value, results: &Value, region: impl Fn(&Value) -> R) {
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let number = |value: &Value| value.as_u64().expect("a number");
    let categories = list(&truths["categories"]).into_iter().map(|category| number(&category["id"]));
    let categories: BTreeMap<u64, usize> = categories.enumerate().map(|(place, id)| (id, place)).collect();
    let images = list(&truths["images"]).into_iter().map(|image| (number(&image["id"]), (vec![], vec![])));
    let mut images: BTreeMap<u64, Picture<R>> = images.collect();
    for own in list(&truths["annotations"]) {
        let truth = Truth {
            region: region(&own),
            class: categories[&number(&own["category_id"])],
            area: own["area"].as_f64().expect("an area"),
            is_ignored: own["iscrowd"] == 1,
        };
        images.get_mut(&number(&own["image_id"])).expect("a known image").0.push(truth);
    }
    for own in list(results) {
        let class = categories[&number(&own["category_id"])];
        let detection = Detection::new(region(&own), class, own["score"].as_f64().expect("a score"));
        images.get_mut(&number(&own["image_id"])).expect("a known image").1.push(detection);
    }
    let begin = Instant::now();
    let mut evaluator = CocoEvaluator::new(categories.len());
    for (truths, detections) in images.values() {
        evaluator.add(truths, detections);
    }
    let scores = evaluator.scores();
    let seconds = begin.elapsed().as_secs_f64();
    print!("{scores}");
    let values: Vec<String> = scores.named().iter().map(|(_, value)| format!("{value:.9}")).collect();
    println!("{}\ngyrus: {seconds:.2} s of one core", values.join(" "));
}
