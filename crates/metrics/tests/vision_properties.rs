//! What theory promises of the metrics of vision.

use gyrus_geometry::{Mask, RunLengthMask, Xywh};
use gyrus_metrics::{
    Average, CocoEvaluator, CocoScores, ConfusionMatrix, Detection, MultiLabelCounts, PanopticEvaluator,
    PascalVocEvaluator, PascalVocInterpolation, SegmentationScores, Truth, auroc, average_precision,
    localization_accuracy,
};
use proptest::prelude::*;

const NUM_CLASSES: usize = 3;

#[derive(Clone, Debug)]
struct Picture {
    truths: Vec<Truth<Xywh>>,
    detections: Vec<Detection<Xywh>>,
}

fn place() -> impl Strategy<Value = Xywh> {
    (0..12u8, 0..12u8, 1..6u8, 1..6u8).prop_map(|(left, top, width, height)| {
        Xywh::new(f64::from(left) * 10.0, f64::from(top) * 10.0, f64::from(width) * 20.0, f64::from(height) * 20.0)
    })
}

/// Pictures with detections near truths and elsewhere, all of different scores.
fn pictures() -> impl Strategy<Value = Vec<Picture>> {
    let truth = (place(), 0..NUM_CLASSES, prop::bool::weighted(0.1))
        .prop_map(|(region, class, is_ignored)| Truth { is_ignored, ..Truth::new(region, class) });
    let detection = (place(), 0..NUM_CLASSES).prop_map(|(region, class)| Detection::new(region, class, 0.0));
    let picture = (prop::collection::vec(truth, 0..6), prop::collection::vec(detection, 0..9), -6..6i8);
    prop::collection::vec(picture, 1..6).prop_map(|pictures| {
        let mut seen = 0u32;
        let pictures = pictures.into_iter().map(|(truths, mut detections, shift)| {
            detections.extend(truths.iter().map(|truth| {
                let moved = Xywh { left: truth.region.left + f64::from(shift), ..truth.region };
                Detection::new(moved, truth.class, 0.0)
            }));
            for detection in &mut detections {
                // A generator of full period modulo a prime: each score occurs once.
                seen = (seen + 37) % 101;
                detection.score = f64::from(seen) / 101.0;
            }
            Picture { truths, detections }
        });
        pictures.collect()
    })
}

fn coco(pictures: &[Picture]) -> CocoScores {
    let mut evaluator = CocoEvaluator::new(NUM_CLASSES);
    pictures.iter().for_each(|picture| evaluator.add(&picture.truths, &picture.detections));
    evaluator.scores()
}

fn voc(pictures: &[Picture], interpolation: PascalVocInterpolation) -> f64 {
    let mut evaluator = PascalVocEvaluator::new(NUM_CLASSES, 0.5);
    pictures.iter().for_each(|picture| evaluator.add(&picture.truths, &picture.detections));
    evaluator.mean_average_precision(interpolation)
}

/// Equal bits, or both no number.
fn are_equal(a: &CocoScores, b: &CocoScores) -> bool {
    let bits = |scores: &CocoScores| scores.named().map(|(_, value)| value.to_bits());
    bits(a) == bits(b)
}

proptest! {
    #[test]
    fn finding_exactly_what_is_there_scores_1(mut pictures in pictures()) {
        for picture in &mut pictures {
            // Two equal truths are found by either's detection.
            picture.detections =
                picture.truths.iter().map(|truth| Detection::new(truth.region, truth.class, 0.5)).collect();
        }
        for (name, value) in coco(&pictures).named() {
            let is_whole = (value - 1.0).abs() < 1e-12 || name == "AR-1";
            prop_assert!(value.is_nan() || is_whole, "{name} is {value}");
        }
        // Pascal VOC looks at the first of equal truths only.
        let is_distinct = |picture: &Picture| {
            let same = |a: &Truth<Xywh>, b: &Truth<Xywh>| a.region == b.region && a.class == b.class;
            (0..picture.truths.len())
                .all(|place| !picture.truths[..place].iter().any(|own| same(own, &picture.truths[place])))
        };
        if pictures.iter().all(is_distinct) {
            for interpolation in [PascalVocInterpolation::AllPoints, PascalVocInterpolation::ElevenPoints] {
                let mean = voc(&pictures, interpolation);
                prop_assert!(mean.is_nan() || (mean - 1.0).abs() < 1e-12, "{mean}");
            }
        }
    }

    #[test]
    fn the_order_of_pictures_and_of_different_scores_is_nothing(pictures in pictures()) {
        let mut turned = pictures.clone();
        turned.reverse();
        turned.iter_mut().for_each(|picture| picture.detections.reverse());
        prop_assert!(are_equal(&coco(&pictures), &coco(&turned)));
        for interpolation in [PascalVocInterpolation::AllPoints, PascalVocInterpolation::ElevenPoints] {
            prop_assert_eq!(voc(&pictures, interpolation).to_bits(), voc(&turned, interpolation).to_bits());
        }
    }

    #[test]
    fn only_the_order_of_scores_counts(pictures in pictures()) {
        let mut raised = pictures.clone();
        for detection in raised.iter_mut().flat_map(|picture| &mut picture.detections) {
            detection.score = detection.score.powi(3) - 5.0;
        }
        prop_assert!(are_equal(&coco(&pictures), &coco(&raised)));
    }

    #[test]
    fn what_is_found_of_nothing_after_all_else_changes_no_precision(pictures in pictures()) {
        let mut more = pictures.clone();
        let far = Xywh::new(1e4, 1e4, 50.0, 50.0);
        for class in 0..NUM_CLASSES {
            more[0].detections.push(Detection::new(far, class, -1.0));
        }
        prop_assert!(are_equal(&coco(&pictures), &coco(&more)));
    }

    #[test]
    fn rectangular_masks_score_as_their_boxes(pictures in pictures()) {
        let mask = |region: &Xywh| {
            let (left, top) = (region.left as usize, region.top as usize);
            let (right, bottom) = (left + region.width as usize, top + region.height as usize);
            let is_inside = |x, y| (left..right).contains(&x) && (top..bottom).contains(&y);
            RunLengthMask::from(&Mask::from_fn(240, 240, is_inside))
        };
        let mut evaluator = CocoEvaluator::new(NUM_CLASSES);
        let mut whole = pictures[..1].to_vec();
        // A detection beyond the left border would be cut off as a mask.
        whole[0].detections.retain(|detection| detection.region.left >= 0.0);
        let truths: Vec<_> =
            whole[0].truths.iter().map(|own| Truth {
                region: mask(&own.region), class: own.class, area: own.area, is_ignored: own.is_ignored,
            }).collect();
        let detections: Vec<_> = whole[0].detections.iter()
            .map(|own| Detection::new(mask(&own.region), own.class, own.score)).collect();
        evaluator.add(&truths, &detections);
        prop_assert!(are_equal(&evaluator.scores(), &coco(&whole)));
    }

    #[test]
    fn auroc_of_turned_scores_is_the_rest(samples in prop::collection::vec((-5..5i8, any::<bool>()), 2..40)) {
        let scores: Vec<f32> = samples.iter().map(|sample| f32::from(sample.0)).collect();
        let positive: Vec<bool> = samples.iter().map(|sample| sample.1).collect();
        let turned: Vec<f32> = scores.iter().map(|score| -score).collect();
        let (area, rest) = (auroc(&scores, &positive), auroc(&turned, &positive));
        prop_assert!((area.is_nan() && rest.is_nan()) || (area + rest - 1.0).abs() < 1e-12);
        let own: Vec<f32> = positive.iter().map(|&own| if own { 1.0 } else { 0.0 }).collect();
        if !area.is_nan() {
            prop_assert_eq!((auroc(&own, &positive), average_precision(&own, &positive)), (1.0, 1.0));
        }
    }

    #[test]
    fn right_labels_score_1(labels in prop::collection::vec(0..5usize, 1..60)) {
        let matrix = ConfusionMatrix::from_labels(5, &labels, &labels);
        let scores = SegmentationScores::new(&matrix, None);
        prop_assert_eq!((scores.mean_intersection_over_union, scores.mean_dice), (1.0, 1.0));
        prop_assert_eq!((scores.pixel_accuracy, scores.mean_class_accuracy), (1.0, 1.0));
        if labels.iter().any(|&label| label != labels[0]) {
            prop_assert!((matrix.cohen_kappa() - 1.0).abs() < 1e-12);
            prop_assert!((matrix.matthews_correlation() - 1.0).abs() < 1e-12);
        } else {
            prop_assert!(matrix.cohen_kappa().is_nan() && matrix.matthews_correlation() == 0.0);
        }
    }

    #[test]
    fn dice_follows_from_intersection_over_union(pairs in prop::collection::vec((0..3usize, 0..3usize), 1..60)) {
        let (predicted, targets): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
        let matrix = ConfusionMatrix::from_labels(3, &predicted, &targets);
        for (class, own) in SegmentationScores::new(&matrix, None).classes.iter().enumerate() {
            let iou = own.intersection_over_union;
            prop_assert!(iou.is_nan() || (own.dice - 2.0 * iou / (1.0 + iou)).abs() < 1e-12);
            prop_assert!(iou.is_nan() || (own.dice - matrix.class_scores(class).f1).abs() < 1e-12);
        }
    }
}

#[test]
fn an_ignored_pixel_may_be_predicted_to_be_anything() {
    let mut matrix = ConfusionMatrix::new(2);
    matrix.add_pixels::<u8>(&[0, 200, 1], &[0, 255, 0], Some(255));
    assert_eq!((matrix.total(), matrix.count(0, 1)), (2, 1));
}

#[test]
#[should_panic(expected = "target 255, predicted 0 with 2 classes")]
fn without_an_ignored_label_all_must_be_classes() {
    ConfusionMatrix::new(2).add_pixels::<u8>(&[0], &[255], None);
}

#[test]
fn of_nothing_there_is_no_figure() {
    let scores = CocoEvaluator::<Xywh>::new(2).scores();
    assert!(scores.named().iter().all(|(_, value)| value.is_nan()));
    assert!(voc(&[], PascalVocInterpolation::AllPoints).is_nan());
    assert!(localization_accuracy::<Xywh>(&[], &[], 0.5).is_nan());
    assert!(SegmentationScores::new(&ConfusionMatrix::new(3), None).mean_intersection_over_union.is_nan());
    assert!(auroc(&[0.5], &[true]).is_nan());
    assert!(MultiLabelCounts::new(2).subset_accuracy().is_nan());
    assert_eq!(MultiLabelCounts::new(2).average_scores(Average::Macro).f1, 0.0);
}

#[test]
fn only_as_many_detections_count_as_the_evaluator_takes() {
    let truths: Vec<_> =
        (0..150).map(|place| Truth::new(Xywh::new(f64::from(place) * 9.0, 0.0, 8.0, 8.0), 0)).collect();
    let found: Vec<_> = truths.iter().map(|truth| Detection::new(truth.region, 0, 0.5)).collect();
    let recall = |mut evaluator: CocoEvaluator<Xywh>| {
        evaluator.add(&truths, &found);
        let scores = evaluator.scores();
        [scores.average_recall_1, scores.average_recall_10, scores.average_recall_100]
    };
    let close = |found: [f64; 3], expected: [f64; 3]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close(recall(CocoEvaluator::new(1)), [1.0 / 150.0, 10.0 / 150.0, 100.0 / 150.0]));
    assert!(close(recall(CocoEvaluator::with_max_detections(1, [1, 10, 200])), [1.0 / 150.0, 10.0 / 150.0, 1.0]));
}

#[test]
#[should_panic(expected = "a detection's score is NaN")]
fn scores_are_checked() {
    CocoEvaluator::new(1).add(&[], &[Detection::new(Xywh::default(), 0, f64::NAN)]);
}

#[test]
#[should_panic(expected = "class 2 with 2 classes")]
fn classes_are_checked() {
    PascalVocEvaluator::new(2, 0.5).add(&[Truth::new(Xywh::default(), 2)], &[]);
}

#[test]
fn what_lies_in_an_ignored_region_is_no_mistake() {
    let crowd = Truth { is_ignored: true, ..Truth::new(Xywh::new(0.0, 0.0, 100.0, 100.0), 0) };
    let truth = Truth::new(Xywh::new(200.0, 0.0, 20.0, 20.0), 0);
    let found = [(200.0, 0.5), (10.0, 0.9), (85.0, 0.8), (91.0, 0.7)];
    let found = found.map(|(left, score)| Detection::new(Xywh::new(left, 0.0, 20.0, 20.0), 0, score));
    let mut evaluator = PanopticEvaluator::new(1);
    evaluator.add(&[crowd, truth], &found);
    // The last lies in it by less than half.
    let scores = evaluator.class_scores(0);
    assert_eq!((scores.num_truths, scores.num_detections, scores.precision, scores.recall), (1, 2, 0.5, 1.0));
}
