//! The result in words.

use super::{BaselineScore, Evaluation, Report, calibration, count, percent};
use super::{counted, significant};

pub(super) fn verdict(report: &Report) -> String {
    let Some(evaluation) = report.evaluation.as_ref().filter(|evaluation| evaluation.num_samples() > 0) else {
        return format!(
            "It was trained for {} and measured on no data that it had not seen.",
            counted(report.epochs, "epoch")
        );
    };
    let (samples, mistakes) = (evaluation.num_samples(), evaluation.num_mistakes());
    let split = &evaluation.split;
    let right = match mistakes {
        0 => format!("It is right on all {} {split} images", count(samples)),
        _ => format!(
            "It is right on {} of {} {split} images ({})",
            count(samples - mistakes),
            count(samples),
            percent(evaluation.accuracy(), samples)
        ),
    };
    match best_baseline(report) {
        Some(baseline) => format!("{right}, {}.", compared(baseline, evaluation)),
        None => format!("{right}."),
    }
}

fn best_baseline(report: &Report) -> Option<&BaselineScore> {
    let known = report.baselines.iter().filter(|baseline| baseline.accuracy.is_finite());
    known.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
}

/// The model beside the best simple method. What lies within the interval of chance counts as equal.
fn compared(baseline: &BaselineScore, evaluation: &Evaluation) -> String {
    let (samples, mistakes) = (evaluation.num_samples(), evaluation.num_mistakes());
    let theirs = ((1.0 - baseline.accuracy) * samples as f64).round() as u64;
    let (low, high) = evaluation.accuracy_interval();
    let BaselineScore { name, accuracy } = baseline;
    let percent = percent(*accuracy, samples);
    if *accuracy > high {
        format!("worse than the simplest method that was tried (the {name}: {percent})")
    } else if *accuracy >= low {
        format!("not clearly better than the {name} ({percent})")
    } else if mistakes == 0 {
        format!("where the {name} makes {}", counted(theirs, "mistake"))
    } else if theirs >= 3 * mistakes {
        format!("with {} times fewer mistakes than the {name}", significant(theirs as f64 / mistakes as f64, 2))
    } else {
        format!("with {} where the {name} makes {}", counted(mistakes, "mistake"), count(theirs))
    }
}

pub(super) fn observations(report: &Report) -> Vec<String> {
    let mut sentences = Vec::new();
    let errors = report.data.findings.iter().filter(|finding| finding.is_error).count() as u64;
    if errors > 0 {
        sentences.push(format!(
            "The data gate found {} (see Data): the results may mean nothing.",
            counted(errors, "error")
        ));
    }
    if let Some(evaluation) = report.evaluation.as_ref().filter(|evaluation| evaluation.num_samples() > 0) {
        sentences.extend(confusion(report, evaluation));
        sentences.extend(weakest(report, evaluation));
        sentences.push(calibration::words(evaluation));
    }
    sentences.extend(training(report));
    sentences
}

fn confusion(report: &Report, evaluation: &Evaluation) -> Option<String> {
    let &(target, predicted, times) = evaluation.confusions().first()?;
    let share = 100.0 * times as f64 / evaluation.num_mistakes() as f64;
    Some(format!(
        "The commonest mistake is to take {} for {}: {}, {share:.0}% of all mistakes.",
        report.class_name(target),
        report.class_name(predicted),
        counted(times, "time"),
    ))
}

fn weakest(report: &Report, evaluation: &Evaluation) -> Option<String> {
    if evaluation.num_mistakes() == 0 || evaluation.classes.len() < 3 {
        return None;
    }
    let seen = evaluation.classes.iter().enumerate().filter(|(_, scores)| scores.support > 0);
    let (class, scores) = seen.min_by(|(_, a), (_, b)| a.recall.total_cmp(&b.recall))?;
    Some(format!(
        "The hardest class is {}: {} of its {} are recognised.",
        report.class_name(class),
        percent(scores.recall, 100),
        counted(scores.support, "image"),
    ))
}

/// Whether training was too short or too long.
fn training(report: &Report) -> Option<String> {
    let last = report.epochs;
    let finite =
        |curve: &super::Curve| curve.points.iter().copied().filter(|point| point.1.is_finite()).collect::<Vec<_>>();
    let loss = finite(report.curve("loss", "validation")?);
    let (lowest_epoch, lowest) = loss.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (_, end) = *loss.last()?;
    if last >= 3 && lowest_epoch + 2 <= last && end > 1.15 * lowest {
        let rise = 100.0 * (end / lowest - 1.0);
        return Some(format!(
            "It began to learn the training images by heart: the validation loss was lowest after epoch {lowest_epoch} and \
             rose by {rise:.0}% until the end. More data or stronger augmentation may help, more epochs will not."
        ));
    }
    let before = loss.iter().rev().nth(1)?.1;
    if report.best_epoch == Some(last) && lowest_epoch == last && end < 0.97 * before {
        return Some("It was still getting better at the end: more epochs may help.".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Curve;

    /// So many right and wrong answers of two classes.
    fn report(right: u64, wrong: u64, baseline: Option<f64>) -> Report {
        let evaluation = Evaluation {
            split: "test".into(),
            confusion: vec![vec![right, wrong], vec![0, 0]],
            ..Evaluation::default()
        };
        let baselines = baseline.map(|accuracy| BaselineScore { name: "linear model".into(), accuracy });
        Report { evaluation: Some(evaluation), baselines: baselines.into_iter().collect(), ..Report::default() }
    }

    #[test]
    fn the_verdict_is_honest() {
        let cases = [
            (
                report(9_912, 88, Some(0.92)),
                "It is right on 9,912 of 10,000 test images (99.12%), with 9.1 times fewer mistakes than the linear model.",
            ),
            (
                report(9_700, 300, Some(0.95)),
                "It is right on 9,700 of 10,000 test images (97.00%), with 300 mistakes where the linear model makes 500.",
            ),
            (
                report(95, 5, Some(0.93)),
                "It is right on 95 of 100 test images (95.0%), not clearly better than the linear model (93.0%).",
            ),
            (
                report(50, 50, Some(0.93)),
                "It is right on 50 of 100 test images (50.0%), worse than the simplest method that was tried (the linear model: 93.0%).",
            ),
            (
                report(400, 0, Some(0.9)),
                "It is right on all 400 test images, where the linear model makes 40 mistakes.",
            ),
            (report(3, 1, None), "It is right on 3 of 4 test images (75%)."),
            (
                Report { epochs: 1, ..Report::default() },
                "It was trained for 1 epoch and measured on no data that it had not seen.",
            ),
        ];
        for (report, expected) in cases {
            assert_eq!(verdict(&report), expected);
        }
    }

    #[test]
    fn too_long_and_too_short_training_are_told() {
        let with_losses = |losses: &[f64]| {
            let points: Vec<_> = (1..).zip(losses.iter().copied()).collect();
            let best = points.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|point| point.0);
            let curve = Curve { metric: "loss".into(), split: "validation".into(), points };
            Report { epochs: losses.len() as u64, best_epoch: best, curves: vec![curve], ..Report::default() }
        };
        let told = |losses: &[f64]| observations(&with_losses(losses)).join(" ");
        assert!(told(&[1.0, 0.5, 0.6, 0.7]).contains("lowest after epoch 2 and rose by 40%"));
        assert!(told(&[1.0, 0.5, 0.3]).contains("more epochs may help"));
        assert_eq!(told(&[1.0, 0.5, 0.495, 0.5]), "");
        assert_eq!(told(&[f64::NAN]), "");
    }
}
