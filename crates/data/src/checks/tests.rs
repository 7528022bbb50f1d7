use super::*;
use crate::{Geometry, HoldOut, Pixels, Samples, Split};

fn part(split: Split, pixels: &[u8], labels: &[usize]) -> Samples {
    Samples {
        split,
        path: split.to_string().into(),
        pixels: Pixels::Bytes(pixels.to_vec()),
        labels: labels.iter().map(|&label| Some(label)).collect(),
        lines: None,
    }
}

/// Images of 1x2 pixels.
fn dataset(num_classes: usize, parts: Vec<Samples>) -> Dataset {
    let classes = (0..num_classes).map(|class| format!("c{class}")).collect();
    Dataset::from_samples(Geometry::new(1, 2, 1), classes, parts).unwrap()
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn sound_data_pass_without_a_word() {
    let report = check(&dataset(2, vec![part(Split::Train, &[0, 1, 2, 3], &[0, 1]), part(Split::Test, &[4, 5], &[0])]));
    assert!(report.passed() && report.warnings.is_empty(), "{report}");
    assert!(report.to_string().ends_with("the data passed: 0 errors, 0 warnings"), "{report}");
}

#[test]
fn one_class_is_nothing_to_learn() {
    let report = check(&dataset(2, vec![part(Split::Train, &[0, 1, 2, 3], &[1, 1])]));
    assert_eq!(kinds(&report.errors), [FindingKind::OneClass]);
    assert_eq!(report.warnings[0].kind, FindingKind::EmptyClass);
    assert_eq!(report.warnings[0].examples, ["c0"]);
    assert_eq!(kinds(&check(&dataset(2, vec![])).errors), [FindingKind::NoSamples]);
}

#[test]
fn leaks_into_the_test_are_errors_and_others_warnings() {
    let leak = |from, to| {
        check(&dataset(2, vec![part(from, &[0, 1, 2, 3, 4, 5], &[0, 1, 0]), part(to, &[9, 8, 2, 3], &[0, 1])]))
    };
    let report = leak(Split::Train, Split::Test);
    assert_eq!(kinds(&report.errors), [FindingKind::Leak]);
    assert_eq!(report.errors[0].examples, ["test, sample 1 is training, sample 1"]);
    for (from, to) in [(Split::Train, Split::Validation), (Split::Validation, Split::Test)] {
        let report = leak(from, to);
        assert!(report.passed(), "{report}");
        assert_eq!(kinds(&report.warnings), [FindingKind::Leak]);
    }
}

#[test]
fn copies_and_contradictions_are_warnings() {
    let report = check(&dataset(2, vec![part(Split::Train, &[0, 1, 0, 1, 0, 1, 7, 8], &[0, 0, 1, 1])]));
    assert_eq!(kinds(&report.warnings), [FindingKind::Duplicate, FindingKind::Contradiction]);
    assert_eq!((report.warnings[0].total, report.warnings[1].total), (2, 1));
    assert!(report.passed());
}

#[test]
fn imbalance_and_constant_images_are_warnings() {
    let pixels: Vec<u8> = (0..11).flat_map(|index| [index, if index == 3 { 3 } else { 99 }]).collect();
    let report = check(&dataset(2, vec![part(Split::Train, &pixels, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])]));
    assert_eq!(kinds(&report.warnings), [FindingKind::Constant, FindingKind::Imbalance]);
    assert_eq!(report.warnings[0].examples, ["training, sample 3"]);
    assert_eq!(report.warnings[1].examples, ["c0: 10, c1: 1"]);
}

#[test]
fn only_the_first_few_examples_are_shown() {
    let report = check(&dataset(2, vec![part(Split::Train, &[5; 40], &[0, 1].repeat(10))]));
    let constant = report.finding(FindingKind::Constant).unwrap();
    assert_eq!((constant.total, constant.examples.len()), (20, 5));
    assert!(report.to_string().contains("and 15 more"), "{report}");
}

#[test]
fn threads_change_nothing() {
    let pixels: Vec<u8> = (0..2000_u32).map(|index| (index * index / 7) as u8).collect();
    let labels: Vec<usize> = (0..1000).map(|index| index % 3).collect();
    let dataset = dataset(3, vec![part(Split::Train, &pixels, &labels)]).hold_out(&HoldOut::default()).unwrap();
    let report = check_with(&dataset, 1);
    assert!(report.finding(FindingKind::Duplicate).is_some());
    for num_threads in [2, 3, 7] {
        assert_eq!(check_with(&dataset, num_threads), report);
    }
}

#[test]
fn the_fingerprint_is_of_pixels_labels_and_splits() {
    let fingerprint = |parts| check(&dataset(2, parts)).fingerprint;
    let base = fingerprint(vec![part(Split::Train, &[0, 1, 2, 3], &[0, 1])]);
    assert_eq!(base.len(), 64);
    assert_eq!(base, fingerprint(vec![part(Split::Train, &[0, 1], &[0]), part(Split::Train, &[2, 3], &[1])]));
    assert_ne!(base, fingerprint(vec![part(Split::Train, &[0, 1, 2, 4], &[0, 1])]));
    assert_ne!(base, fingerprint(vec![part(Split::Train, &[0, 1, 2, 3], &[1, 0])]));
    assert_ne!(base, fingerprint(vec![part(Split::Test, &[0, 1, 2, 3], &[0, 1])]));
}

#[test]
fn the_report_is_plain_text_and_json() {
    let many = check(&dataset(30, vec![part(Split::Train, &[0, 1, 2, 3], &[0, 29]), part(Split::Test, &[7, 8], &[3])]));
    let text = many.to_string();
    assert!(text.contains("class             training        test\n"), "{text}");
    assert!(text.contains("largest class            1           1\n"), "{text}");
    let json = serde_json::to_value(&many).unwrap();
    assert_eq!(json["warnings"][0]["kind"], "empty_class");
    assert_eq!(json["splits"][1]["split"], "test");
}
