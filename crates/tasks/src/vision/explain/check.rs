//! Whether an explanation depends on what the model has learnt.

use gyrus_draw::HeatMap;
use gyrus_metrics::rank_correlation;

/// Above this correlation with the map of a network of random weights, an explanation tells of the image rather than of
/// the model.
const MOST: f64 = 0.5;

/// How an explanation fares beside those of networks of random weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The rank correlation of the map with that of each such network.
    pub correlations: Vec<f64>,
}

impl Check {
    /// The median of the correlations.
    pub fn median(&self) -> f64 {
        let mut sorted = self.correlations.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Whether the explanation depends on what was learnt.
    pub fn passed(&self) -> bool {
        self.median().abs() < MOST
    }

    /// The result in words.
    pub fn in_words(&self) -> String {
        let median = self.median();
        if self.passed() {
            format!("with random weights the map is another (rank correlation {median:.2}): it shows what was learnt")
        } else {
            format!(
                "with random weights the map is much the same (rank correlation {median:.2}): it shows edges of the image \
                 rather than what was learnt; try another method"
            )
        }
    }
}

/// Compares a map with those of networks of random weights: spread over the frame they are of equal size.
///
/// # Source
/// Adebayo et al., Sanity Checks for Saliency Maps (2018): the model parameter randomisation test, of all weights at once,
/// by Spearman's rank correlation of the absolute values.
pub fn check(map: &HeatMap, random: &[HeatMap]) -> Check {
    let sizes = |map: &HeatMap| map.values().iter().map(|value| f64::from(value.abs())).collect::<Vec<_>>();
    let own = sizes(map);
    Check { correlations: random.iter().map(|other| rank_correlation(&own, &sizes(other))).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_change_does_not_pass() {
        let map = |values: &[f32]| HeatMap::new(values.len(), 1, values.to_vec());
        let own = map(&[0.1, -0.9, 0.3, 0.2]);
        assert!(!check(&own, &[map(&[1.0, 9.0, 3.0, 2.0])]).passed());
        let passed = check(&own, &[map(&[3.0, 1.0, 9.0, 0.5]), map(&[0.2, 0.4, 0.1, 0.3]), own.clone()]);
        assert!(passed.passed(), "{passed:?}");
        assert!(passed.in_words().contains("what was learnt"));
    }
}
