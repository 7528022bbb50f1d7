//! How figures were computed, to be printed beside them: `name|choice=value|...`.
//!
//! Metrics of one name differ between tools by choices that no figure shows. Evaluators of detection and segmentation
//! give their own signature; those of single functions are here.
//!
//! # Source
//! Post 2018, "A Call for Clarity in Reporting BLEU Scores", for the idea.

use crate::Average;

/// Of [`accuracy`](crate::accuracy).
pub const ACCURACY: &str = "accuracy";
/// Of [`cross_entropy`](crate::cross_entropy).
pub const CROSS_ENTROPY: &str = "cross-entropy|unit=nat|clip=2^-23";
/// Of [`mean_squared_error`](crate::mean_squared_error).
pub const MEAN_SQUARED_ERROR: &str = "mean-squared-error";
/// Of [`ConfusionMatrix::balanced_accuracy`](crate::ConfusionMatrix::balanced_accuracy).
pub const BALANCED_ACCURACY: &str = "balanced-accuracy|classes=with-targets";
/// Of [`ConfusionMatrix::cohen_kappa`](crate::ConfusionMatrix::cohen_kappa).
pub const COHEN_KAPPA: &str = "cohen-kappa|weights=none";
/// Of [`ConfusionMatrix::matthews_correlation`](crate::ConfusionMatrix::matthews_correlation).
pub const MATTHEWS_CORRELATION: &str = "matthews-correlation";
/// Of [`auroc`](crate::auroc).
pub const AUROC: &str = "auroc|ties=half";
/// Of [`auroc_one_vs_rest`](crate::auroc_one_vs_rest).
pub const AUROC_ONE_VS_REST: &str = "auroc|ties=half|multi=one-vs-rest|average=macro|classes=with-both";
/// Of [`average_precision`](crate::average_precision).
pub const AVERAGE_PRECISION: &str = "average-precision|interpolation=none";
/// Of [`mean_average_precision`](crate::mean_average_precision).
pub const MEAN_AVERAGE_PRECISION: &str = "mean-average-precision|interpolation=none|labels=with-positives";
/// Of [`MultiLabelCounts::subset_accuracy`](crate::MultiLabelCounts::subset_accuracy).
pub const SUBSET_ACCURACY: &str = "subset-accuracy";

/// Of [`top_k_accuracy`](crate::top_k_accuracy).
pub fn top_k_accuracy(k: usize) -> String {
    format!("top-{k}-accuracy|ties=lowest-class-first")
}

/// Of [`expected_calibration_error`](crate::expected_calibration_error).
pub fn expected_calibration_error(num_bins: usize) -> String {
    format!("expected-calibration-error|bins={num_bins}|widths=equal|norm=l1")
}

/// Of [`ConfusionMatrix::average_scores`](crate::ConfusionMatrix::average_scores): of precision, recall and F1.
pub fn average_scores(average: Average) -> String {
    format!("f1|average={}|zero_division=0|classes=present", name(average))
}

/// Of [`MultiLabelCounts::average_scores`](crate::MultiLabelCounts::average_scores): of precision, recall and F1.
pub fn multi_label_scores(average: Average) -> String {
    format!("multi-label-f1|average={}|zero_division=0|labels=all", name(average))
}

/// Of [`localization_accuracy`](crate::localization_accuracy).
pub fn localization_accuracy(threshold: f64) -> String {
    format!("localization-accuracy|iou={threshold:.2}|top=1")
}

fn name(average: Average) -> &'static str {
    match average {
        Average::Macro => "macro",
        Average::Micro => "micro",
        Average::Weighted => "weighted",
    }
}

#[cfg(test)]
mod tests {
    use crate::{Average, signature};

    #[test]
    fn choices_are_named() {
        assert_eq!(signature::top_k_accuracy(5), "top-5-accuracy|ties=lowest-class-first");
        let weighted = signature::average_scores(Average::Weighted);
        assert_eq!(weighted, "f1|average=weighted|zero_division=0|classes=present");
        let micro = signature::multi_label_scores(Average::Micro);
        assert_eq!(micro, "multi-label-f1|average=micro|zero_division=0|labels=all");
        assert_eq!(signature::localization_accuracy(0.5), "localization-accuracy|iou=0.50|top=1");
        let calibration = signature::expected_calibration_error(15);
        assert_eq!(calibration, "expected-calibration-error|bins=15|widths=equal|norm=l1");
    }
}
