//! The gate that data pass before anything is trained on them.
//!
//! | finding | severity |
//! | --- | --- |
//! | an image, or a mask, that cannot be read | error |
//! | a sample without a label; labels without their image | error |
//! | an annotation that is malformed, or of an unknown class | error |
//! | a box without area, or more than a pixel outside of its image | error |
//! | a mask of another size than its image, or with a value that is no class | error |
//! | samples of fewer than two classes (for objects: no object) | error |
//! | numbers that are not finite | error |
//! | an image of the test in the training split too | error |
//! | an image of the validation in the training or test split too | warning |
//! | an image that looks like one of another split | warning |
//! | the same image twice in a split; with two labels | warning |
//! | the same box twice on an image | warning |
//! | an image of one colour | warning |
//! | an image of another size (it will be resized) | warning |
//! | a class without a training sample | warning |
//! | a class with ten times the training samples of another | warning |
//! | files that the reader left out | warning |
//!
//! Images are the same if their decoded pixels are, whatever their files look like; they look alike if their difference
//! hashes are nearly the same.

use std::thread;

use crate::Dataset;
use gathering::Judgement;

mod copies;
mod display;
mod findings;
mod gathering;
mod perceptual;
mod report;
mod samples;
mod targets;

pub use report::{Finding, FindingKind, Report, SplitCounts};

/// Reads every sample and reports what is wrong. It runs on all cores; its result does not depend on them.
///
/// ```
/// # use gyrus_data::{Dataset, Geometry, Pixels, Samples, Split};
/// let samples = Samples {
///     split: Split::Train,
///     path: "made up".into(),
///     pixels: Pixels::Floats(vec![1.0, f32::NAN]),
///     labels: vec![Some(0), Some(1)],
///     lines: None,
/// };
/// let classes = vec!["a".to_string(), "b".to_string()];
/// let dataset = Dataset::from_samples(Geometry::new(1, 1, 1), classes, vec![samples])?;
/// let report = gyrus_data::check(&dataset);
/// assert!(!report.passed());
/// assert_eq!(report.errors[0].examples, ["made up, sample 1"]);
/// # Ok::<(), gyrus_data::DataError>(())
/// ```
pub fn check(dataset: &Dataset) -> Report {
    check_with(dataset, thread::available_parallelism().map_or(1, |count| count.get()))
}

/// [`check`] on so many threads.
pub fn check_with(dataset: &Dataset, num_threads: usize) -> Report {
    let facts = samples::examine(dataset, num_threads.max(1));
    findings::judge(dataset, &facts).report
}

/// [`check`], with a way out: samples with errors are set aside, taken out of their splits, if they (with files that
/// belong to no sample) are at most this fraction of all samples. The report then lists them, and what was an error is a
/// warning. Errors about the dataset as a whole stay errors.
pub fn admit(mut dataset: Dataset, allow_bad: f64) -> (Dataset, Report) {
    let num_threads = thread::available_parallelism().map_or(1, |count| count.get());
    let facts = samples::examine(&dataset, num_threads);
    let Judgement { mut report, bad_samples, num_orphans } = findings::judge(&dataset, &facts);
    let num_bad = bad_samples.len() + num_orphans;
    if num_bad == 0 || num_bad as f64 > allow_bad * dataset.len() as f64 {
        return (dataset, report);
    }
    dataset.splits.iter_mut().for_each(|indices| indices.retain(|index| !bad_samples.contains_key(index)));
    let Judgement { report: rest, .. } = findings::judge(&dataset, &facts);
    // What is left is about the dataset as a whole.
    let (set_aside, _): (Vec<Finding>, Vec<Finding>) =
        report.errors.into_iter().partition(|finding| finding.kind.is_of_samples());
    report.errors = rest.errors.into_iter().filter(|finding| !finding.kind.is_of_samples()).collect();
    report.warnings = [set_aside, rest.warnings].concat();
    report.quarantined = bad_samples.into_values().collect();
    (dataset, Report { splits: rest.splits, fingerprint: rest.fingerprint, ..report })
}

#[cfg(test)]
mod tests;
