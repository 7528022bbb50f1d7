//! The gate that data pass before anything is trained on them.
//!
//! | finding | severity |
//! | --- | --- |
//! | an image that cannot be read | error |
//! | a sample without a label | error |
//! | samples of fewer than two classes | error |
//! | numbers that are not finite | error |
//! | an image of the test in the training split too | error |
//! | an image of the validation in the training or test split too | warning |
//! | the same image twice in a split; with two labels | warning |
//! | an image of one colour | warning |
//! | an image of another size (it will be resized) | warning |
//! | a class without a training sample | warning |
//! | a class with ten times the training samples of another | warning |
//! | files that the reader left out | warning |
//!
//! Images are the same if their decoded pixels are, whatever their files look like.

use std::thread;

use crate::Dataset;

mod display;
mod findings;
mod report;
mod samples;

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
    findings::judge(dataset, &facts)
}

#[cfg(test)]
mod tests;
