//! Holding samples out of the training split.

use serde::{Deserialize, Serialize};

use crate::random::{Purpose, RandomStream};
use crate::{DataError, Dataset, Result, Split};

/// How much of the training split to hold out where the data bring no validation or test split of their own.
///
/// ```
/// use gyrus_data::HoldOut;
/// assert_eq!(HoldOut::default(), HoldOut { validation: 0.1, test: 0.0, seed: 0 });
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoldOut {
    /// The fraction of the training samples for validation, in `0..1`.
    pub validation: f64,
    /// The fraction of the training samples for the test, in `0..1`.
    pub test: f64,
    /// What the choice depends on, beside the labels.
    pub seed: u64,
}

impl Default for HoldOut {
    fn default() -> Self {
        Self { validation: 0.1, test: 0.0, seed: 0 }
    }
}

impl Dataset {
    /// Moves some of the training samples to the splits that are empty: the same fraction of each class, rounded, and
    /// never a class's last training sample. An image of several classes counts for the rarest of them. The choice depends
    /// on the seed and on the labels only. Samples without a label stay where they are.
    ///
    /// # Errors
    /// [`DataError::Setting`] if the fractions are not in `0..1` or leave nothing to train with.
    pub fn hold_out(mut self, hold_out: &HoldOut) -> Result<Dataset> {
        let HoldOut { validation, test, seed } = *hold_out;
        let fits = |fraction: f64| (0.0..1.0).contains(&fraction);
        if !fits(validation) || !fits(test) || !fits(validation + test) {
            let reason = format!("validation = {validation} and test = {test}: each, and their sum, must be in 0..1");
            return Err(DataError::setting("hold_out", reason));
        }
        let wanted = [(Split::Test, test), (Split::Validation, validation)];
        let wanted =
            wanted.map(|(split, fraction)| (split, if self.indices(split).is_empty() { fraction } else { 0.0 }));
        let num_classes = self.classes().len();
        let mut counts = vec![0usize; num_classes];
        let train = self.indices(Split::Train);
        train.iter().flat_map(|&index| self.target(index).classes()).for_each(|class| counts[class] += 1);
        // What shows no class is a group of its own.
        let mut members = vec![Vec::new(); num_classes + 1];
        let mut kept = Vec::new();
        for &index in train {
            let rarest = self.target(index).classes().into_iter().min_by_key(|&class| (counts[class], class));
            let group = self.target(index).kind().map(|_| rarest.unwrap_or(num_classes));
            group.map_or(&mut kept, |group| &mut members[group]).push(index);
        }
        for (class, mut members) in members.into_iter().enumerate() {
            RandomStream::new(seed, 0, class, Purpose::HoldOut).shuffle(&mut members);
            let total = members.len();
            for (split, fraction) in wanted {
                let count = (total as f64 * fraction).round() as usize;
                let rest = members.len() - count.min(members.len().saturating_sub(1));
                self.splits[split as usize].extend(members.drain(rest..));
            }
            kept.extend(members);
        }
        self.splits[Split::Train as usize] = kept;
        self.splits.iter_mut().for_each(|indices| indices.sort_unstable());
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Geometry, Pixels, Samples};

    fn dataset(labels: Vec<usize>) -> Dataset {
        let samples = Samples {
            split: Split::Train,
            path: "made up".into(),
            pixels: Pixels::Bytes(vec![0; labels.len()]),
            labels: labels.into_iter().map(Some).collect(),
            lines: None,
        };
        let classes = ["a", "b", "c"].map(String::from).to_vec();
        Dataset::from_samples(Geometry::new(1, 1, 1), classes, vec![samples]).unwrap()
    }

    fn count(dataset: &Dataset, split: Split, class: usize) -> usize {
        dataset.indices(split).iter().filter(|&&index| dataset.label(index) == Some(class)).count()
    }

    proptest! {
        #[test]
        fn every_class_gives_its_share(labels in prop::collection::vec(0usize..3, 1..200), seed: u64) {
            let hold_out = HoldOut { validation: 0.2, test: 0.1, seed };
            let before = dataset(labels.clone());
            let after = dataset(labels.clone()).hold_out(&hold_out).unwrap();
            let again = dataset(labels.clone()).hold_out(&hold_out).unwrap();
            prop_assert_eq!(&after.splits, &again.splits);
            let mut all: Vec<usize> = after.splits.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for class in 0..3 {
                let total = count(&before, Split::Train, class);
                if total >= 2 {
                    prop_assert_eq!(count(&after, Split::Test, class), (total as f64 * 0.1).round() as usize);
                    prop_assert_eq!(count(&after, Split::Validation, class), (total as f64 * 0.2).round() as usize);
                }
                prop_assert_eq!(count(&after, Split::Train, class) == 0, total == 0);
            }
        }
    }

    #[test]
    fn the_seed_matters() {
        let held_out = |seed| {
            let hold_out = HoldOut { seed, ..HoldOut::default() };
            dataset(vec![0; 300]).hold_out(&hold_out).unwrap().splits[Split::Validation as usize].clone()
        };
        assert_eq!(held_out(1).len(), 30);
        assert_ne!(held_out(1), held_out(2));
    }

    #[test]
    fn a_split_that_is_there_is_left_alone() {
        let once = dataset([0, 1, 2].repeat(20)).hold_out(&HoldOut::default()).unwrap();
        let splits = once.splits.clone();
        assert_eq!(once.hold_out(&HoldOut { seed: 9, ..HoldOut::default() }).unwrap().splits, splits);
    }

    #[test]
    fn impossible_fractions_are_refused() {
        for (validation, test) in [(1.0, 0.0), (-0.1, 0.0), (0.6, 0.5), (f64::NAN, 0.0)] {
            let error = dataset(vec![0; 9]).hold_out(&HoldOut { validation, test, seed: 0 }).unwrap_err();
            assert!(error.is_usage() && error.to_string().contains("must be in 0..1"), "{error}");
        }
    }
}
