use crate::rows_with_targets;

/// The share of samples whose target is among the `k` classes of highest score, from 0 to 1.
///
/// Equal scores rank in the order of their classes, as `argmax` takes the first, so that `k = 1` is [`accuracy`]
/// and a model that gives every class the same score is not called right every time. A target scored NaN is
/// never a hit.
///
/// # Shapes
/// `scores` `[N, C]` row-major (logits or probabilities), `targets` `[N]`.
///
/// # Panics
/// If the lengths do not fit, a target is not below `num_classes`, or `k` is 0.
///
/// # Source
/// ILSVRC (Russakovsky et al. 2015, section 4.1). scikit-learn ranks equal scores the other way round.
///
/// [`accuracy`]: crate::accuracy
///
/// ```
/// let scores = [0.5, 0.3, 0.2, 0.1, 0.2, 0.7];
/// assert_eq!(gyrus_metrics::top_k_accuracy(&scores, 3, &[1, 0], 2), 0.5);
/// ```
#[track_caller]
pub fn top_k_accuracy(scores: &[f32], num_classes: usize, targets: &[usize], k: usize) -> f64 {
    assert!(k > 0, "top_k_accuracy: k is 0: it must be at least 1");
    let hit = |&(row, target): &(&[f32], usize)| {
        let own = row[target];
        let ahead = |(class, &score): (usize, &f32)| score > own || (score == own && class < target);
        !own.is_nan() && row.iter().enumerate().filter(|&column| ahead(column)).count() < k
    };
    let hits = rows_with_targets("top_k_accuracy", scores, num_classes, targets).filter(hit).count();
    hits as f64 / targets.len() as f64
}

#[cfg(test)]
mod tests {
    use super::top_k_accuracy;

    #[test]
    fn equal_scores_rank_by_class() {
        let scores = [0.25; 8];
        assert_eq!(top_k_accuracy(&scores, 4, &[0, 3], 1), 0.5);
        assert_eq!(top_k_accuracy(&scores, 4, &[0, 3], 3), 0.5);
        assert_eq!(top_k_accuracy(&scores, 4, &[0, 3], 4), 1.0);
    }

    #[test]
    fn a_target_scored_nan_is_a_miss() {
        assert_eq!(top_k_accuracy(&[f32::NAN, 0.0], 2, &[0], 2), 0.0);
    }

    #[test]
    #[should_panic(expected = "target 2 with 2 classes")]
    fn targets_are_checked() {
        top_k_accuracy(&[0.0, 1.0], 2, &[2], 1);
    }
}
