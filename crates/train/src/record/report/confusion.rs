//! The confusion matrix.

use super::counted;
use super::{Evaluation, Report, count, escaped, percent};

/// With more classes, only some are shown.
const MAX_CLASSES: usize = 30;

/// How many are shown then: those with the most mistakes.
const NUM_WORST: usize = 20;

/// How many confusions are listed.
const NUM_PAIRS: usize = 10;

/// Names longer than that stand upright above their columns.
const MAX_FLAT: usize = 3;

pub(super) fn section(report: &Report, evaluation: &Evaluation) -> String {
    let num_classes = evaluation.confusion.len();
    if evaluation.num_samples() == 0 {
        return String::new();
    }
    let shown: Vec<usize> =
        if num_classes > MAX_CLASSES { worst(evaluation, NUM_WORST) } else { (0..num_classes).collect() };
    let (mut names, cells) = gathered(report, evaluation, &shown);
    let mut words = "<p>Rows are the true classes, columns what they were taken for.</p>\n".to_owned();
    if shown.len() < num_classes {
        names.push("others".to_owned());
        words.push_str(&format!(
            "<p class=\"note\">The {} classes with the most mistakes, of {}; all others stand together.</p>\n",
            shown.len(),
            super::count(num_classes as u64)
        ));
    }
    format!("{words}<div class=\"matrix\">{}{}</div>", table(&names, &cells), pairs(report, evaluation))
}

/// The commonest confusions.
fn pairs(report: &Report, evaluation: &Evaluation) -> String {
    let pairs = evaluation.confusions();
    let Some(&(.., most)) = pairs.first() else {
        return "<p>No class is taken for another.</p>".to_owned();
    };
    let row = |&(target, predicted, times): &(usize, usize, u64)| {
        format!(
            "<tr><th scope=\"row\">{} <span>for</span> {}</th><td><i style=\"width:{:.0}%\"></i>{}</td></tr>",
            escaped(&report.class_name(target)),
            escaped(&report.class_name(predicted)),
            75.0 * times as f64 / most as f64,
            count(times),
        )
    };
    let rows: String = pairs.iter().take(NUM_PAIRS).map(row).collect();
    format!("<div class=\"pairs\"><h3>Most often it takes</h3><table><tbody>{rows}</tbody></table></div>")
}

/// Classes by mistakes in their row and column, in their own order.
pub(super) fn worst(evaluation: &Evaluation, limit: usize) -> Vec<usize> {
    let mut mistakes = vec![0; evaluation.confusion.len()];
    for (target, predicted, times) in evaluation.confusions() {
        mistakes[target] += times;
        mistakes[predicted] += times;
    }
    let mut classes: Vec<usize> = (0..mistakes.len()).collect();
    classes.sort_by_key(|&class| (std::cmp::Reverse(mistakes[class]), class));
    classes.truncate(limit);
    classes.sort_unstable();
    classes
}

/// The matrix of some classes; if there are more, the rest are one last class.
fn gathered(report: &Report, evaluation: &Evaluation, shown: &[usize]) -> (Vec<String>, Vec<Vec<u64>>) {
    let size = shown.len() + usize::from(shown.len() < evaluation.confusion.len());
    let place = |class: usize| shown.iter().position(|&own| own == class).unwrap_or(shown.len());
    let mut cells = vec![vec![0; size]; size];
    for (target, row) in evaluation.confusion.iter().enumerate() {
        for (predicted, times) in row.iter().enumerate() {
            cells[place(target)][place(predicted)] += times;
        }
    }
    (shown.iter().map(|&class| report.class_name(class)).collect(), cells)
}

fn table(names: &[String], cells: &[Vec<u64>]) -> String {
    let mistakes = || {
        cells.iter().enumerate().flat_map(|(target, row)| row.iter().enumerate().filter(move |cell| cell.0 != target))
    };
    let most = mistakes().map(|(_, times)| *times).max().unwrap_or(0);
    let is_long = names.iter().any(|name| name.chars().count() > MAX_FLAT);
    let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    let heads: String = names.iter().map(|name| format!("<th scope=\"col\"><span>{name}</span></th>")).collect();
    let cell = |target: usize, predicted: usize| {
        let times = cells[target][predicted];
        let row: u64 = cells[target].iter().sum();
        if times == 0 {
            return "<td class=\"zero\">·</td>".to_owned();
        }
        let (class, shade, hint) = if target == predicted {
            let share = times as f64 / row as f64;
            (
                "right",
                share,
                format!("{} recognised: {} of {}, {}", names[target], count(times), count(row), percent(share, row)),
            )
        } else {
            // The root makes single mistakes visible beside frequent ones.
            let shade = (times as f64 / most as f64).sqrt();
            ("wrong", shade, format!("{} taken for {}: {}", names[target], names[predicted], counted(times, "time")))
        };
        format!("<td class=\"{class}\" style=\"--shade:{:.0}%\" title=\"{hint}\">{}</td>", 100.0 * shade, count(times))
    };
    let row = |target: usize| {
        let row: String = (0..cells.len()).map(|predicted| cell(target, predicted)).collect();
        format!("<tr><th scope=\"row\">{}</th>{row}</tr>", names[target])
    };
    let upright = if is_long { " upright" } else { "" };
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Confusion matrix\">\
         <table class=\"confusion{upright}\"><thead><tr><td class=\"corner\"><span>true ↓ taken for →</span></td>{heads}</tr></thead>\
         <tbody>{}</tbody></table></div>",
        (0..cells.len()).map(row).collect::<String>()
    )
}
