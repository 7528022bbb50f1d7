//! Writes `target/report.html` and `target/README.md`: the report of a made-up run on the digits that come with gyrus.
//!
//! For work on the page itself: `cargo run -p gyrus-train --example report_preview [digits|photos|cells]`. The "model" knows
//! the answers and is led astray where an image is far from the mean of its class, so that mistakes look real.

use std::error::Error;
use std::fs;

use gyrus_data::{Dataset, ImageBuffer, Split, shipped};
use gyrus_draw::{BoxLabel, Color, Picture, color_of, grid};
use gyrus_train::record::{
    BaselineScore, Content, Curve, DataFinding, DataSummary, Environment, Evaluation, Figure, MetricsLine, Panel,
    Report, SplitSummary, model_card, picture,
};

fn main() -> Result<(), Box<dyn Error>> {
    let report = match std::env::args().nth(1).as_deref() {
        Some("photos") => photos(),
        Some("cells") => cells(),
        _ => digits()?,
    };
    fs::create_dir_all("target")?;
    fs::write("target/report.html", report.render())?;
    fs::write("target/README.md", model_card(&report))?;
    println!("target/report.html, target/README.md");
    Ok(())
}

fn digits() -> Result<Report, Box<dyn Error>> {
    let data = shipped::digits()?;
    let indices = data.indices(Split::Test);
    let targets: Vec<usize> = indices.iter().filter_map(|&index| data.label(index)).collect();
    let mut evaluation = Evaluation::new("test", &made_up_probabilities(&data)?, 10, &targets);
    let mut image = ImageBuffer::new();
    for mistake in &mut evaluation.mistakes {
        let index = indices[mistake.sample];
        data.read(index, &mut image)?;
        mistake.origin = data.origin(index).to_string();
        mistake.picture = Some(picture(1, 28, 28, image.pixels()));
    }
    let mut summary = DataSummary::of("digits", &gyrus_data::check(&data));
    summary.licence =
        Some("MNIST, by Y. LeCun, C. Cortes and C. J. C. Burges: Creative Commons Attribution-Share Alike 3.0.".into());
    Ok(Report {
        name: "digits-1".into(),
        model: "lenet5".into(),
        run: "runs/image_classification/digits-1".into(),
        epochs: 15,
        best_epoch: Some(12),
        seconds: Some(47.3),
        images_per_second: Some(24_310.0),
        num_parameters: Some(61_706),
        evaluation: Some(evaluation),
        baselines: vec![
            BaselineScore { name: "majority class (1)".into(), accuracy: 0.1135 },
            BaselineScore { name: "linear model".into(), accuracy: 0.9231 },
        ],
        data: summary,
        ..made_up(15, 0.0075)
    })
}

/// Many classes with long names, few images, findings.
fn photos() -> Report {
    let num_classes = 45;
    let classes: Vec<String> = (0..num_classes)
        .map(|class| format!("{} {class}", ["barn swallow", "oak", "Siamese cat"][class % 3]))
        .collect();
    let targets: Vec<usize> = (0..900).map(|sample| sample % num_classes).collect();
    let noise = |number: usize| ((number as f64 * 12.9898).sin() * 43_758.547).fract().abs() as f32;
    let mut probabilities = Vec::new();
    for (sample, &target) in targets.iter().enumerate() {
        let logits: Vec<f32> = (0..num_classes)
            .map(|class| 4.0 * noise(sample * num_classes + class) + if class == target { 3.4 } else { 0.0 })
            .collect();
        probabilities.extend(softmax(&logits));
    }
    let mut evaluation = Evaluation::new("test", &probabilities, num_classes, &targets);
    for mistake in &mut evaluation.mistakes {
        mistake.origin = format!("/home/me/pictures/birds and trees/test/IMG_{:05}.jpg", mistake.sample);
        let wave = |place: usize| (0.5 + 0.5 * ((place * (mistake.sample + 3)) as f32 * 0.000_02).sin()).abs();
        let pixels: Vec<f32> = (0..3 * 200 * 150).map(wave).collect();
        mistake.picture = Some(picture(3, 150, 200, &pixels));
    }
    let split = |name: &str, size: u64| {
        let per_class: Vec<u64> = (0..num_classes as u64).map(|class| size + class % 7).collect();
        SplitSummary { name: name.into(), total: per_class.iter().sum(), per_class }
    };
    Report {
        name: "birds-and-trees-12".into(),
        model: "resnet18".into(),
        run: "runs/image_classification/birds-and-trees-12".into(),
        epochs: 60,
        best_epoch: Some(60),
        seconds: Some(7_530.0),
        images_per_second: Some(212.0),
        num_parameters: Some(11_200_000),
        evaluation: Some(evaluation),
        baselines: vec![BaselineScore { name: "linear model".into(), accuracy: 0.41 }],
        data: DataSummary {
            source: "/home/me/pictures/birds and trees".into(),
            images: "150x200 RGB".into(),
            classes,
            splits: vec![split("training", 96), split("test", 20)],
            findings: vec![
                DataFinding {
                    is_error: true,
                    message:
                        "2 test images are training images too, so that the test proves nothing: take them out of one"
                            .into(),
                    total: 2,
                    examples: vec!["test/oak 1/IMG_1.jpg is train/oak 1/IMG_7.jpg".into()],
                },
                DataFinding {
                    message: "14 images are of one colour: are they meant to be?".into(),
                    total: 14,
                    ..DataFinding::default()
                },
            ],
            fingerprint: "9f0c2b7e".repeat(8),
            licence: None,
        },
        ..made_up(60, 0.12)
    }
}

/// A detector of cells, with curves and pictures of its own.
fn cells() -> Report {
    let classes = ["red blood cell", "white blood cell", "platelet"].map(String::from);
    let figure = |name: &str, value: f64, note: &str| Figure { name: name.into(), value, note: note.into() };
    let curve = |skill: f64| {
        let share = |place: i32| f64::from(place) / 100.0;
        (0..=100).map(share).map(|recall| (recall, 1.0 - recall.powf(skill))).collect::<Vec<_>>()
    };
    let lines = |title: &str, across: &str, up: &str| Content::Lines {
        title: title.into(),
        x_label: across.into(),
        y_label: up.into(),
        series: classes.iter().cloned().zip([6.0, 14.0, 3.0].map(curve)).collect(),
    };
    let row = |class: &String| vec![class.clone(), "0.912".into(), "0.634".into(), "372".into()];
    let pair = |number: usize| {
        let picture = |wrong: f64| {
            let mut picture = Picture::new(320, 240, Color([235, 214, 220]));
            let label = |place: usize| BoxLabel {
                bounds: gyrus_geometry::Xyxy::new(0.0, 0.0, 60.0, 55.0)
                    .translate((97 * place % 260) as f64 + wrong, (61 * (place + number) % 185) as f64),
                color: color_of(place % 3),
                text: if wrong > 0.0 {
                    format!("{} 0.9{place}", classes[place % 3])
                } else {
                    classes[place % 3].clone()
                },
                is_dashed: false,
            };
            picture.draw_boxes(&(0..4).map(label).collect::<Vec<_>>());
            picture
        };
        let both = grid(&[(picture(0.0), "truth".into()), (picture(4.0), "prediction".into())], 2);
        (both.png(), format!("BloodImage_{number:05}.jpg: 2 missed, 1 too many"))
    };
    Report {
        name: "cells-1".into(),
        task: "detection".into(),
        model: "detector_nano".into(),
        headline: Some("It finds 94.1% of the objects on 72 test images, and 91.2% of what it finds is right.".into()),
        measured: vec![
            figure("mAP 50", 0.912, "on 72 test images"),
            figure("mAP 50-95", 0.634, "COCO's definition"),
            figure("F1", 0.902, "at confidence 0.41"),
        ],
        panels: vec![
            Panel {
                id: "curves".into(),
                title: "How sure is sure enough?".into(),
                about:
                    "Precision: of what is found, the share that is right. Recall: of what is there, the share found."
                        .into(),
                content: vec![
                    lines("Precision by recall", "recall", "precision"),
                    lines("F1 by confidence", "confidence", "F1"),
                    Content::Table {
                        header: ["class", "AP 50", "AP 50-95", "objects"].map(String::from).to_vec(),
                        rows: classes.iter().map(row).collect(),
                    },
                ],
            },
            Panel {
                id: "pictures".into(),
                title: "Worst mistakes".into(),
                about: "The test images with the most mistakes, the worst first.".into(),
                content: vec![Content::Gallery((0..6).map(pair).collect())],
            },
            Panel {
                id: "seen".into(),
                title: "What the network sees".into(),
                about: "Training images after augmentation.".into(),
                content: vec![Content::Gallery(vec![(
                    grid(&vec![(Picture::new(160, 160, Color([235, 214, 220])), String::new()); 12], 6).png(),
                    String::new(),
                )])],
            },
        ],
        data: DataSummary {
            source: "bccd".into(),
            images: "480x640 RGB".into(),
            classes: classes.to_vec(),
            splits: vec![SplitSummary { name: "test".into(), total: 72, per_class: vec![819, 72, 76] }],
            ..DataSummary::default()
        },
        ..made_up(40, 0.3)
    }
}

/// Probabilities of the test images by their distance to the mean of each class, with a bonus for the truth that leaves
/// 88 mistakes.
fn made_up_probabilities(data: &Dataset) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut image = ImageBuffer::new();
    let (mut means, mut counts) = (vec![vec![0f32; 784]; 10], [0f32; 10]);
    for &index in data.indices(Split::Train) {
        let label = data.label(index).unwrap_or(0);
        data.read(index, &mut image)?;
        counts[label] += 1.0;
        means[label].iter_mut().zip(image.pixels()).for_each(|(mean, pixel)| *mean += pixel);
    }
    means.iter_mut().zip(counts).for_each(|(mean, count)| mean.iter_mut().for_each(|pixel| *pixel /= count));
    let mut logits = Vec::new();
    let mut margins = Vec::new();
    for &index in data.indices(Split::Test) {
        data.read(index, &mut image)?;
        let distance = |mean: &Vec<f32>| mean.iter().zip(image.pixels()).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let row: Vec<f32> = means.iter().map(|mean| -0.45 * distance(mean)).collect();
        let target = data.label(index).unwrap_or(0);
        let others = (0..10).filter(|class| *class != target).map(|class| row[class]);
        margins.push(others.fold(f32::MIN, f32::max) - row[target]);
        logits.push((target, row));
    }
    margins.sort_by(|a, b| b.total_cmp(a));
    let bonus = (margins[87] + margins[88]) / 2.0;
    let probabilities = logits.into_iter().flat_map(|(target, mut row)| {
        row[target] += bonus;
        softmax(&row)
    });
    Ok(probabilities.collect())
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Curves that look like training, and a setup.
fn made_up(epochs: u64, floor: f64) -> Report {
    let mut lines = Vec::new();
    for epoch in 1..=epochs {
        let age = epoch as f64 * 15.0 / epochs as f64;
        let wobble = (epoch as f64 * 2.1).sin();
        let train = 0.42 * (-0.62 * age).exp() + 0.11 / age + floor * 0.3;
        let validation = 0.17 * (-0.7 * age).exp() + 0.035 / age + 3.2 * floor + floor * 0.18 * wobble;
        let rate = 0.001 * (1.0 + (std::f64::consts::PI * epoch as f64 / epochs as f64).cos());
        let train = [("loss", train), ("accuracy", 1.0 - 0.31 * train), ("learning_rate", rate)];
        let validation = [("loss", validation), ("accuracy", 1.0 - 0.31 * validation)];
        lines.push(MetricsLine::new(epoch * 844, epoch, "train", train));
        lines.push(MetricsLine::new(epoch * 844, epoch, "validation", validation));
    }
    let environment = Environment::detect();
    Report {
        task: "image_classification".into(),
        time: environment.time.clone(),
        curves: Curve::from_lines(&lines),
        config: "# What this run was made with, in full.\ntask = \"image_classification\"\ndata = \"digits\"\nmodel = \"lenet5\"\n\
                 epochs = 15\nbatch = 64\nlr = 0.002\noptimizer = \"adamw\"\nschedule = \"cosine\"\naugment = \"light\"\nseed = 0\n"
            .into(),
        environment: environment.facts().into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect(),
        commands: vec![
            ("Classify an image, a folder, or what comes on standard input".into(), "gyrus predict runs/image_classification/digits-1 photo.png".into()),
            ("Measure it on other data".into(), "gyrus eval runs/image_classification/digits-1 --data PATH".into()),
            ("Train it again, to the same bits".into(), "gyrus train runs/image_classification/digits-1/config.toml".into()),
        ],
        ..Report::default()
    }
}
