/// Spearman's rank correlation of two series, from -1 to 1: the correlation (Pearson's) of their ranks, where equal
/// numbers share the mean of their ranks. NaN if all numbers of one are equal, or there are fewer than two.
///
/// # Panics
/// If there are not as many numbers in both.
///
/// # Source
/// `scipy.stats.spearmanr`.
///
/// ```
/// use gyrus_metrics::rank_correlation;
/// assert_eq!(rank_correlation(&[1.0, 2.0, 30.0], &[0.1, 0.2, 0.3]), 1.0);
/// ```
#[track_caller]
pub fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    assert!(a.len() == b.len(), "rank_correlation: {} and {} numbers: there must be as many in both", a.len(), b.len(),);
    let (a, b) = (ranks(a), ranks(b));
    // The mean of all ranks, however they are shared.
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// The rank of each number, from 1; equal ones have their mean.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
        let rank = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&place| ranks[place] = rank);
        before += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::rank_correlation;

    #[test]
    fn series_that_say_nothing_have_no_correlation() {
        assert!(rank_correlation(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
        assert!(rank_correlation(&[], &[]).is_nan());
        assert_eq!(rank_correlation(&[3.0, 2.0, 1.0], &[1.0, 5.0, 9.0]), -1.0);
    }
}
