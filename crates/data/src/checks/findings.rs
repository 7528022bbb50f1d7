//! From facts about samples to findings.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::checks::gathering::{Gathering, Judgement};
use crate::checks::samples::Facts;
use crate::checks::{Finding, FindingKind, Report, SplitCounts, copies, targets};
use crate::target::{Shape, Target, TargetKind};
use crate::{Dataset, Split};

/// From this ratio of the largest class to the smallest on, they are called unbalanced.
const IMBALANCE: usize = 10;

pub(super) fn judge(dataset: &Dataset, facts: &[Facts]) -> Judgement {
    let report = Report {
        classes: dataset.classes().to_vec(),
        geometry: dataset.geometry(),
        kind: dataset.kind(),
        splits: counts(dataset, facts),
        errors: Vec::new(),
        warnings: Vec::new(),
        quarantined: Vec::new(),
        fingerprint: fingerprint(dataset, facts),
    };
    let mut judgement = Judgement { report, bad_samples: BTreeMap::new(), num_orphans: 0 };
    if dataset.is_empty() {
        let message = "there are no samples: check the path".to_string();
        let finding = Finding { kind: FindingKind::NoSamples, message, total: 1, examples: Vec::new() };
        judgement.report.errors.push(finding);
    }
    judge_images(dataset, facts, &mut judgement);
    targets::judge(dataset, facts, &mut judgement);
    judge_classes(dataset, &mut judgement);
    copies::judge(dataset, facts, &mut judgement);
    if !dataset.notes().is_empty() {
        let message = "files were left out".to_string();
        let (total, examples) = (dataset.notes().len(), dataset.notes().to_vec());
        judgement.report.warnings.push(Finding { kind: FindingKind::LeftOut, message, total, examples });
    }
    judgement
}

/// How many samples each split has, and how many labels of each class.
fn counts(dataset: &Dataset, facts: &[Facts]) -> Vec<SplitCounts> {
    let used = Split::ALL.into_iter().filter(|&split| !dataset.indices(split).is_empty());
    used.map(|split| {
        let mut counts = SplitCounts { split, total: 0, per_class: vec![0; dataset.classes().len()], unlabelled: 0 };
        for &index in dataset.indices(split) {
            counts.total += 1;
            let target = dataset.target(index);
            counts.unlabelled += usize::from(target.kind().is_none());
            match (target, &facts[index]) {
                (Target::PixelClasses(_), Facts::Image(image)) => {
                    let labels = image.mask.iter().flatten().flat_map(|mask| &mask.labels);
                    labels.for_each(|&class| counts.per_class[class as usize] += 1);
                }
                (Target::PixelObjects(_), Facts::Image(image)) => {
                    let labels = image.mask.iter().flatten().flat_map(|mask| &mask.labels);
                    counts.per_class[0] += labels.filter(|&&object| object > 0).count();
                }
                (Target::PixelObjects(_), Facts::Unreadable(_)) => {}
                (target, _) => target.classes().into_iter().for_each(|class| counts.per_class[class] += 1),
            }
        }
        counts
    })
    .collect()
}

fn judge_images(dataset: &Dataset, facts: &[Facts], judgement: &mut Judgement) {
    let mut unreadable = Gathering::new(FindingKind::Unreadable);
    let mut not_finite = Gathering::new(FindingKind::NotFinite);
    let mut constant = Gathering::new(FindingKind::Constant);
    let mut other_size = Gathering::new(FindingKind::OtherSize);
    let usual = dataset.geometry();
    for index in indices(dataset) {
        match &facts[index] {
            Facts::Unreadable(reason) => unreadable.add_bad(index, reason.clone()),
            Facts::Image(image) => {
                if !image.is_finite {
                    not_finite.add_sample(dataset, index);
                } else if image.is_constant {
                    constant.add(|| dataset.origin(index).to_string());
                }
                if (image.height, image.width) != (usual.height, usual.width) {
                    other_size.add(|| format!("{}: {}x{}", dataset.origin(index), image.height, image.width));
                }
            }
        }
    }
    judgement.error(unreadable, "{} images cannot be read: replace them or take them out");
    judgement.error(not_finite, "{} images have NaN or infinite numbers: correct them or take them out");
    judgement.warning(constant, "{} images are of one colour: are they meant to be?");
    let (height, width) = (usual.height, usual.width);
    let message = format!("{{}} images are not {height}x{width} (height x width) like most: they will be resized");
    judgement.warning(other_size, &message);
}

/// All samples that are in a split, in the order of the dataset.
pub(super) fn indices(dataset: &Dataset) -> Vec<usize> {
    let mut indices: Vec<usize> = Split::ALL.into_iter().flat_map(|split| dataset.indices(split)).copied().collect();
    indices.sort_unstable();
    indices
}

fn judge_classes(dataset: &Dataset, judgement: &mut Judgement) {
    let splits = judgement.report.splits.clone();
    let num_used = (0..dataset.classes().len()).filter(|&class| splits.iter().any(|split| split.per_class[class] > 0));
    // One class of objects is told apart from what is no object.
    let (least, message) = match dataset.kind() {
        Some(TargetKind::Objects) => (1, "there is no object on any image, so that there is nothing to find"),
        Some(TargetKind::Classes) => (1, "no sample has a class, so that there is nothing to tell apart"),
        _ => (2, "there are samples of fewer than two classes, so that there is nothing to tell apart"),
    };
    if !dataset.is_empty() && num_used.count() < least {
        let examples = vec![format!("classes: {}", dataset.classes().join(", "))];
        let finding = Finding { kind: FindingKind::OneClass, message: message.into(), total: 1, examples };
        judgement.report.errors.push(finding);
    }
    let Some(train) = splits.iter().find(|counts| counts.split == Split::Train) else { return };
    let mut empty = Gathering::new(FindingKind::EmptyClass);
    for (name, _) in dataset.classes().iter().zip(&train.per_class).filter(|&(_, &count)| count == 0) {
        empty.add(|| name.clone());
    }
    judgement.warning(empty, "{} classes have no training sample, so that the net cannot learn them");
    let used = || dataset.classes().iter().zip(&train.per_class).filter(|&(_, &count)| count > 0);
    let smallest = used().min_by_key(|&(_, count)| count);
    let largest = used().max_by_key(|&(_, count)| count);
    let (Some((small_name, &small)), Some((large_name, &large))) = (smallest, largest) else { return };
    if large >= small * IMBALANCE {
        let mut imbalance = Gathering::new(FindingKind::Imbalance);
        imbalance.add(|| format!("{large_name}: {large}, {small_name}: {small}"));
        judgement.warning(imbalance, "classes are unbalanced: look at each class's result, not at accuracy alone");
    }
}

fn fingerprint(dataset: &Dataset, facts: &[Facts]) -> String {
    let mut hasher = Sha256::new();
    for split in Split::ALL {
        for &index in dataset.indices(split) {
            let label = dataset.label(index).map_or(u64::MAX, |label| label as u64);
            let (hash, mask) = match &facts[index] {
                Facts::Image(image) => (image.hash, image.mask.as_ref().and_then(|mask| mask.as_ref().ok())),
                Facts::Unreadable(_) => (0, None),
            };
            hasher.update([split as u8]);
            hasher.update(label.to_le_bytes());
            hasher.update(hash.to_le_bytes());
            mask.inspect(|mask| hasher.update(mask.hash.to_le_bytes()));
            add_target(&mut hasher, dataset.target(index));
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

/// What a label and a mask do not say already.
fn add_target(hasher: &mut Sha256, target: &Target) {
    match target {
        Target::Classes(classes) => {
            hasher.update((classes.len() as u64).to_le_bytes());
            classes.iter().for_each(|&class| hasher.update((class as u64).to_le_bytes()));
        }
        Target::Objects(objects) => {
            hasher.update((objects.len() as u64).to_le_bytes());
            for object in objects {
                hasher.update((object.class as u64).to_le_bytes());
                hasher.update([u8::from(object.is_crowd), u8::from(object.is_difficult)]);
                let gyrus_geometry::Xyxy { left, top, right, bottom } = object.bounds;
                [left, top, right, bottom].iter().for_each(|edge| hasher.update(edge.to_le_bytes()));
                match &object.shape {
                    Shape::Box => {}
                    Shape::Polygons(polygons) => {
                        for point in polygons.iter().flat_map(|polygon| &polygon.points) {
                            hasher.update(point.x.to_le_bytes());
                            hasher.update(point.y.to_le_bytes());
                        }
                    }
                    Shape::Runs(runs) => runs.runs().iter().for_each(|run| hasher.update(run.to_le_bytes())),
                }
            }
        }
        Target::Unlabelled | Target::Class(_) | Target::PixelClasses(_) | Target::PixelObjects(_) => {}
    }
}
