//! Where findings are gathered.

use std::collections::BTreeMap;

use crate::Dataset;
use crate::checks::{Finding, FindingKind, Report};

/// How many examples a finding shows.
const MAX_EXAMPLES: usize = 5;

/// What is to be said of a dataset, with the samples that errors are about.
pub(super) struct Judgement {
    pub(super) report: Report,
    /// Each with what is wrong with it first.
    pub(super) bad_samples: BTreeMap<usize, String>,
    /// How many errors are about a file that belongs to no sample.
    pub(super) num_orphans: usize,
}

impl Judgement {
    pub(super) fn error(&mut self, gathering: Gathering, message: &str) {
        for (sample, reason) in &gathering.samples {
            self.bad_samples.entry(*sample).or_insert_with(|| reason.clone());
        }
        if gathering.kind == FindingKind::ImageMissing {
            self.num_orphans += gathering.total - gathering.samples.len();
        }
        self.report.errors.extend(gathering.finding(message));
    }

    pub(super) fn warning(&mut self, gathering: Gathering, message: &str) {
        self.report.warnings.extend(gathering.finding(message));
    }
}

/// Where findings of one kind are gathered.
pub(super) struct Gathering {
    kind: FindingKind,
    total: usize,
    examples: Vec<String>,
    samples: Vec<(usize, String)>,
}

impl Gathering {
    pub(super) fn new(kind: FindingKind) -> Self {
        Self { kind, total: 0, examples: Vec::new(), samples: Vec::new() }
    }

    /// Something that is worth a warning, or wrong with the dataset as a whole.
    pub(super) fn add(&mut self, example: impl FnOnce() -> String) {
        if self.total < MAX_EXAMPLES {
            self.examples.push(example());
        }
        self.total += 1;
    }

    /// Something wrong with a sample, which the reason names.
    pub(super) fn add_bad(&mut self, sample: usize, reason: String) {
        self.add(|| reason.clone());
        self.samples.push((sample, reason));
    }

    /// The same where the sample is all there is to say.
    pub(super) fn add_sample(&mut self, dataset: &Dataset, sample: usize) {
        self.add_bad(sample, dataset.origin(sample).to_string());
    }

    /// The finding, if there is something to be said; `{}` in the message becomes the total.
    fn finding(self, message: &str) -> Option<Finding> {
        let message = message.replace("{}", &self.total.to_string());
        let Self { kind, total, examples, .. } = self;
        (total > 0).then_some(Finding { kind, message, total, examples })
    }
}
