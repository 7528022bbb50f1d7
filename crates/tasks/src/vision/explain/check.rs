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

/// Numbers are none beside a map's greatest from this share of it on.
const NOTHING: f64 = 1e-5;

/// Compares a map with those of networks of random weights. Places of which none of the maps says anything are left out:
/// where an image is black, methods that begin with a black image say nothing, whatever the network.
///
/// # Source
/// Adebayo et al., Sanity Checks for Saliency Maps (2018): the model parameter randomisation test, of all weights at once,
/// by Spearman's rank correlation of the absolute values.
pub fn check(map: &HeatMap, random: &[HeatMap]) -> Check {
    let sizes = |map: &HeatMap| map.values().iter().map(|value| f64::from(value.abs())).collect::<Vec<_>>();
    let all: Vec<Vec<f64>> = [map].into_iter().chain(random).map(sizes).collect();
    let greatest: Vec<f64> = all.iter().map(|sizes| sizes.iter().copied().fold(0.0, f64::max)).collect();
    let says = |place: &usize| all.iter().zip(&greatest).any(|(sizes, greatest)| sizes[*place] > NOTHING * greatest);
    let places: Vec<usize> = (0..all[0].len()).filter(says).collect();
    let of = |sizes: &Vec<f64>| places.iter().map(|&place| sizes[place]).collect::<Vec<f64>>();
    Check { correlations: all[1..].iter().map(|other| rank_correlation(&of(&all[0]), &of(other))).collect() }
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
        // Black places, of which nobody says anything, do not make maps alike.
        let black = |values: [f32; 4]| map(&[&values[..], &[0.0; 96]].concat());
        let checked = check(&black([1.0, 2.0, 3.0, 4.0]), &[black([3.0, 1.0, 4.0, 2.0])]);
        assert_eq!(checked.correlations, [0.0]);
    }
}
