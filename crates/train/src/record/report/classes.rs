//! Precision, recall and F1 of each class.

use super::html::escaped;
use super::{ClassScores, Evaluation, Report, count, percent};

/// With more classes, the weakest are shown first and all only on demand.
const MAX_CLASSES: usize = 30;

/// How many are shown then.
const NUM_WEAKEST: usize = 15;

/// One decimal in all rows.
const PRECISION: u64 = 100;

pub(super) fn section(report: &Report, evaluation: &Evaluation) -> String {
    let samples = evaluation.num_samples();
    if samples == 0 {
        return String::new();
    }
    let mut scores: Vec<(usize, ClassScores)> = evaluation.classes.iter().copied().enumerate().collect();
    let words = format!(
        "<p>Precision: of those taken for the class, the share that is. Recall: of those of the class, the share found. \
         F1: their harmonic mean, on average {}{}.</p>\n",
        percent(evaluation.macro_f1, samples),
        evaluation.top_5_accuracy.map_or_else(String::new, |share| format!(
            ". The true class is among the five most probable for {}",
            percent(share, samples)
        )),
    );
    if scores.len() <= MAX_CLASSES {
        return words + &table(report, &scores, "Scores of each class");
    }
    let all = table(report, &scores, "Scores of each class");
    scores.retain(|(_, scores)| scores.support > 0);
    scores.sort_by(|(a, left), (b, right)| left.f1.total_cmp(&right.f1).then(a.cmp(b)));
    scores.truncate(NUM_WEAKEST);
    let weakest = table(report, &scores, "Scores of the weakest classes");
    let number = count(evaluation.classes.len() as u64);
    format!("{words}<h3>The weakest</h3>\n{weakest}<details><summary>All {number} classes</summary>{all}</details>")
}

fn table(report: &Report, scores: &[(usize, ClassScores)], label: &str) -> String {
    let all =
        scores.iter().filter(|(_, scores)| scores.support > 0).flat_map(|(_, own)| [own.precision, own.recall, own.f1]);
    let worst = all.map(|value| 1.0 - value).fold(0.0, f64::max);
    let row = |(class, scores): &(usize, ClassScores)| {
        let score = |value: f64| {
            // The further from all right, the stronger the shade, up to the weakest score of the table.
            let shade = if worst > 0.0 { 100.0 * ((1.0 - value) / worst).powi(2) } else { 0.0 };
            format!("<td class=\"weak\" style=\"--shade:{shade:.0}%\">{}</td>", percent(value, PRECISION))
        };
        format!(
            "<tr><th scope=\"row\">{}</th>{}{}{}<td>{}</td></tr>",
            escaped(&report.class_name(*class)),
            score(scores.precision),
            score(scores.recall),
            score(scores.f1),
            count(scores.support),
        )
    };
    let heads =
        ["class", "precision", "recall", "F1", "images"].map(|head| format!("<th scope=\"col\">{head}</th>")).concat();
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\"><table class=\"numbers classes\">\
         <thead><tr>{heads}</tr></thead><tbody>{}</tbody></table></div>",
        scores.iter().map(row).collect::<String>()
    )
}
