//! From facts about samples to findings.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::checks::samples::{Facts, ImageFacts};
use crate::checks::{Finding, FindingKind, Report, SplitCounts};
use crate::{Dataset, Split};

/// How many examples a finding shows.
const MAX_EXAMPLES: usize = 5;

/// From this ratio of the largest class to the smallest on, they are called unbalanced.
const IMBALANCE: usize = 10;

/// Where findings of one kind are gathered.
struct Gathering {
    kind: FindingKind,
    total: usize,
    examples: Vec<String>,
}

impl Gathering {
    fn new(kind: FindingKind) -> Self {
        Self { kind, total: 0, examples: Vec::new() }
    }

    fn add(&mut self, example: impl FnOnce() -> String) {
        if self.total < MAX_EXAMPLES {
            self.examples.push(example());
        }
        self.total += 1;
    }

    /// The finding, if there is something to be said; `{}` in the message becomes the total.
    fn report(self, findings: &mut Vec<Finding>, message: &str) {
        if self.total > 0 {
            let message = message.replace("{}", &self.total.to_string());
            findings.push(Finding { kind: self.kind, message, total: self.total, examples: self.examples });
        }
    }
}

pub(super) fn judge(dataset: &Dataset, facts: &[Facts]) -> Report {
    let splits = counts(dataset);
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    if dataset.is_empty() {
        let message = "there are no samples: check the path".to_string();
        errors.push(Finding { kind: FindingKind::NoSamples, message, total: 1, examples: Vec::new() });
    }
    judge_images(dataset, facts, &mut errors, &mut warnings);
    judge_classes(dataset, &splits, &mut errors, &mut warnings);
    judge_copies(dataset, facts, &mut errors, &mut warnings);
    if !dataset.notes().is_empty() {
        let message = "files were left out".to_string();
        let (total, examples) = (dataset.notes().len(), dataset.notes().to_vec());
        warnings.push(Finding { kind: FindingKind::LeftOut, message, total, examples });
    }
    Report {
        classes: dataset.classes().to_vec(),
        geometry: dataset.geometry(),
        splits,
        errors,
        warnings,
        fingerprint: fingerprint(dataset, facts),
    }
}

fn counts(dataset: &Dataset) -> Vec<SplitCounts> {
    let used = Split::ALL.into_iter().filter(|&split| !dataset.indices(split).is_empty());
    used.map(|split| {
        let mut counts = SplitCounts { split, total: 0, per_class: vec![0; dataset.classes().len()], unlabelled: 0 };
        for &index in dataset.indices(split) {
            counts.total += 1;
            *dataset.label(index).map_or(&mut counts.unlabelled, |class| &mut counts.per_class[class]) += 1;
        }
        counts
    })
    .collect()
}

fn judge_images(dataset: &Dataset, facts: &[Facts], errors: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    let mut unreadable = Gathering::new(FindingKind::Unreadable);
    let mut not_finite = Gathering::new(FindingKind::NotFinite);
    let mut constant = Gathering::new(FindingKind::Constant);
    let mut other_size = Gathering::new(FindingKind::OtherSize);
    let usual = dataset.geometry();
    for (index, facts) in facts.iter().enumerate() {
        match facts {
            Facts::Unreadable(reason) => unreadable.add(|| reason.clone()),
            Facts::Image(image) => {
                if !image.is_finite {
                    not_finite.add(|| dataset.origin(index).to_string());
                } else if image.is_constant {
                    constant.add(|| dataset.origin(index).to_string());
                }
                if (image.height, image.width) != (usual.height, usual.width) {
                    other_size.add(|| format!("{}: {}x{}", dataset.origin(index), image.height, image.width));
                }
            }
        }
    }
    unreadable.report(errors, "{} images cannot be read: replace them or take them out");
    not_finite.report(errors, "{} images have NaN or infinite numbers: correct them or take them out");
    constant.report(warnings, "{} images are of one colour: are they meant to be?");
    let (height, width) = (usual.height, usual.width);
    let message = format!("{{}} images are not {height}x{width} (height x width) like most: they will be resized");
    other_size.report(warnings, &message);
}

fn judge_classes(dataset: &Dataset, splits: &[SplitCounts], errors: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    let mut unlabelled = Gathering::new(FindingKind::LabelMissing);
    let indices = Split::ALL.into_iter().flat_map(|split| dataset.indices(split));
    indices.filter(|&&index| dataset.label(index).is_none()).for_each(|&index| {
        unlabelled.add(|| dataset.origin(index).to_string());
    });
    unlabelled.report(errors, "{} samples have no label: label them or take them out");
    let num_used = (0..dataset.classes().len()).filter(|&class| splits.iter().any(|split| split.per_class[class] > 0));
    if !dataset.is_empty() && num_used.count() < 2 {
        let message = "there are samples of fewer than two classes, so that there is nothing to tell apart".to_string();
        let examples = vec![format!("classes: {}", dataset.classes().join(", "))];
        errors.push(Finding { kind: FindingKind::OneClass, message, total: 1, examples });
    }
    let Some(train) = splits.iter().find(|counts| counts.split == Split::Train) else { return };
    let mut empty = Gathering::new(FindingKind::EmptyClass);
    for (name, _) in dataset.classes().iter().zip(&train.per_class).filter(|&(_, &count)| count == 0) {
        empty.add(|| name.clone());
    }
    empty.report(warnings, "{} classes have no training sample, so that the net cannot learn them");
    let used = || dataset.classes().iter().zip(&train.per_class).filter(|&(_, &count)| count > 0);
    let smallest = used().min_by_key(|&(_, count)| count);
    let largest = used().max_by_key(|&(_, count)| count);
    let (Some((small_name, &small)), Some((large_name, &large))) = (smallest, largest) else { return };
    if large >= small * IMBALANCE {
        let mut imbalance = Gathering::new(FindingKind::Imbalance);
        imbalance.add(|| format!("{large_name}: {large}, {small_name}: {small}"));
        imbalance.report(warnings, "classes are unbalanced: look at each class's result, not at accuracy alone");
    }
}

/// The same image more than once: within a split, in two splits, with two labels.
fn judge_copies(dataset: &Dataset, facts: &[Facts], errors: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    let mut duplicates = Gathering::new(FindingKind::Duplicate);
    let mut contradictions = Gathering::new(FindingKind::Contradiction);
    let new_leak = || Gathering::new(FindingKind::Leak);
    let mut leaks = [
        (Split::Train, Split::Test, new_leak()),
        (Split::Train, Split::Validation, new_leak()),
        (Split::Validation, Split::Test, new_leak()),
    ];
    // For each image the first sample that shows it in each split.
    let mut seen: HashMap<u128, [Option<usize>; 3]> = HashMap::with_capacity(dataset.len());
    for split in Split::ALL {
        for &index in dataset.indices(split) {
            let Facts::Image(ImageFacts { hash, .. }) = facts[index] else { continue };
            let firsts = seen.entry(hash).or_default();
            let pair = |other: usize| format!("{} is {}", dataset.origin(index), dataset.origin(other));
            if let Some(other) = firsts.iter().flatten().find(|&&other| dataset.label(other) != dataset.label(index)) {
                contradictions.add(|| pair(*other));
            }
            if let Some(first) = firsts[split as usize] {
                duplicates.add(|| pair(first));
            } else {
                firsts[split as usize] = Some(index);
            }
            for (from, _, leak) in leaks.iter_mut().filter(|(_, to, _)| *to == split) {
                if let Some(other) = firsts[*from as usize] {
                    leak.add(|| pair(other));
                }
            }
        }
    }
    let [(.., to_test), (.., to_validation), (.., between)] = leaks;
    to_test.report(
        errors,
        "{} test images are training images too, so that the test proves nothing: take them out of one",
    );
    to_validation.report(warnings, "{} validation images are training images too: take them out of one");
    between.report(warnings, "{} test images are validation images too: take them out of one");
    duplicates.report(warnings, "{} images are copies of others in their split");
    contradictions.report(warnings, "{} images are copies of others and have other labels");
}

fn fingerprint(dataset: &Dataset, facts: &[Facts]) -> String {
    let mut hasher = Sha256::new();
    for split in Split::ALL {
        for &index in dataset.indices(split) {
            let label = dataset.label(index).map_or(u64::MAX, |label| label as u64);
            let hash = match &facts[index] {
                Facts::Image(image) => image.hash,
                Facts::Unreadable(_) => 0,
            };
            hasher.update([split as u8]);
            hasher.update(label.to_le_bytes());
            hasher.update(hash.to_le_bytes());
        }
    }
    dataset.classes().iter().for_each(|name| {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
    });
    let mut text = String::new();
    hasher.finalize().iter().for_each(|byte| write!(text, "{byte:02x}").unwrap_or_default());
    text
}
