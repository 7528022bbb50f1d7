//! Which samples each batch has.

use crate::loader::LoaderConfig;
use crate::random::{Purpose, RandomStream};
use crate::{DataError, Result};

/// A sample of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its number in the dataset.
    pub(super) index: usize,
    /// How often the epoch had it before.
    pub(super) round: usize,
}

/// The samples of an epoch in their order, which depends on the configuration and the epoch only.
pub(super) fn of_epoch(indices: &[usize], config: &LoaderConfig, epoch: usize) -> Vec<Turn> {
    let mut random = RandomStream::new(config.seed, epoch, 0, Purpose::Order);
    let mut order: Vec<Turn> = match &config.sample_weights {
        Some(weights) => drawn(indices, weights, config.repeats, &mut random),
        None => {
            let round = |round| indices.iter().map(move |&index| Turn { index, round });
            (0..config.repeats).flat_map(round).collect()
        }
    };
    if config.shuffle {
        random.shuffle(&mut order);
    }
    order
}

/// So many samples as there are, `repeats` times, drawn by their weights.
fn drawn(indices: &[usize], weights: &[f64], repeats: usize, random: &mut RandomStream) -> Vec<Turn> {
    let mut ends = Vec::with_capacity(weights.len());
    let total = weights.iter().fold(0.0, |sum, weight| {
        ends.push(sum + weight);
        sum + weight
    });
    let mut rounds = vec![0; indices.len()];
    let draw = |_| {
        let at = f64::from(random.uniform()) * total;
        let place = ends.partition_point(|&end| end <= at).min(indices.len() - 1);
        rounds[place] += 1;
        Turn { index: indices[place], round: rounds[place] - 1 }
    };
    (0..indices.len() * repeats).map(draw).collect()
}

/// Whether weights are one for each sample, and can be drawn by.
pub(super) fn check_weights(weights: &[f64], num_samples: usize) -> Result<()> {
    let is_sound = |weight: &f64| weight.is_finite() && *weight >= 0.0;
    if weights.len() != num_samples || !weights.iter().all(is_sound) || weights.iter().sum::<f64>() <= 0.0 {
        let reason = format!(
            "{} for {num_samples} samples: must be one each, finite, at least 0, and not all of them 0",
            weights.len()
        );
        return Err(DataError::setting("sample_weights", reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Geometry, Preprocess};

    fn config() -> LoaderConfig {
        LoaderConfig { shuffle: true, ..LoaderConfig::new(Preprocess::new(Geometry::new(1, 1, 1))) }
    }

    #[test]
    fn repeated_samples_come_in_rounds() {
        let order = of_epoch(&[7, 9], &LoaderConfig { repeats: 3, ..config() }, 0);
        let mut turns: Vec<(usize, usize)> = order.iter().map(|turn| (turn.index, turn.round)).collect();
        turns.sort_unstable();
        assert_eq!(turns, [(7, 0), (7, 1), (7, 2), (9, 0), (9, 1), (9, 2)]);
    }

    #[test]
    fn samples_are_drawn_as_often_as_they_weigh() {
        let indices: Vec<usize> = (0..100).collect();
        // One sample of ten weighs as much as the other nine together.
        let weights = (0..100).map(|place| if place % 10 == 0 { 9.0 } else { 1.0 }).collect();
        let config = LoaderConfig { sample_weights: Some(weights), ..config() };
        let drawn: Vec<Turn> = (0..50).flat_map(|epoch| of_epoch(&indices, &config, epoch)).collect();
        let heavy = drawn.iter().filter(|turn| turn.index % 10 == 0).count();
        assert_eq!(drawn.len(), 5000);
        assert!(heavy.abs_diff(2500) < 150, "{heavy}");
    }

    #[test]
    fn weights_that_cannot_be_are_refused() {
        assert!(check_weights(&[1.0, 0.5], 2).is_ok());
        for weights in [&[1.0][..], &[1.0, -1.0], &[f64::NAN, 1.0], &[0.0, 0.0]] {
            assert!(check_weights(weights, 2).is_err(), "{weights:?}");
        }
    }
}
