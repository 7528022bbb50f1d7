//! Images that are there more than once.

use std::collections::HashMap;

use crate::checks::gathering::{Gathering, Judgement};
use crate::checks::samples::{Facts, ImageFacts};
use crate::checks::{FindingKind, perceptual};
use crate::{Dataset, Split};

/// The same image more than once: within a split, in two splits, with two labels.
pub(super) fn judge(dataset: &Dataset, facts: &[Facts], judgement: &mut Judgement) {
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
                    leak.add_bad(index, pair(other));
                }
            }
        }
    }
    let [(.., to_test), (.., to_validation), (.., between)] = leaks;
    judgement.error(
        to_test,
        "{} test images are training images too, so that the test proves nothing: take them out of one",
    );
    judgement.warning(to_validation, "{} validation images are training images too: take them out of one");
    judgement.warning(between, "{} test images are validation images too: take them out of one");
    judgement.warning(duplicates, "{} images are copies of others in their split");
    judgement.warning(contradictions, "{} images are copies of others and have other labels");
    judge_likeness(dataset, facts, judgement);
}

/// Images that look like one of another split and are no copies of it.
fn judge_likeness(dataset: &Dataset, facts: &[Facts], judgement: &mut Judgement) {
    let hashes = |split| {
        let hash = |&index: &usize| match &facts[index] {
            Facts::Image(image) => Some((index, image.perceptual?)),
            Facts::Unreadable(_) => None,
        };
        dataset.indices(split).iter().filter_map(hash).collect::<Vec<_>>()
    };
    let exact = |index: usize| match &facts[index] {
        Facts::Image(image) => Some(image.hash),
        Facts::Unreadable(_) => None,
    };
    let mut near = Gathering::new(FindingKind::NearLeak);
    for (from, to) in [(Split::Train, Split::Test), (Split::Train, Split::Validation), (Split::Validation, Split::Test)]
    {
        for (index, other) in perceptual::alike(&hashes(to), &hashes(from)) {
            if exact(index) != exact(other) {
                near.add(|| format!("{} ({to}) looks like {} ({from})", dataset.origin(index), dataset.origin(other)));
            }
        }
    }
    let message = "{} images look like one of another split: if they show the same, the result is too good";
    judgement.warning(near, message);
}
