//! The net beside simple methods.

use super::counted;
use super::{Evaluation, Report, escaped, percent};

pub(super) fn section(report: &Report, evaluation: &Evaluation) -> String {
    let samples = evaluation.num_samples();
    if report.baselines.is_empty() || samples == 0 {
        return String::new();
    }
    let own = if report.model.is_empty() { "this model" } else { &report.model };
    let baselines = report.baselines.iter().map(|baseline| (baseline.name.as_str(), 1.0 - baseline.accuracy, ""));
    let rows: Vec<(&str, f64, &str)> = baselines
        .chain([(own, 1.0 - evaluation.accuracy(), " class=\"own\"")])
        .filter(|row| row.1.is_finite())
        .collect();
    let highest = rows.iter().map(|row| row.1).fold(0.0, f64::max);
    let row = |&(name, error, class): &(&str, f64, &str)| {
        let mistakes = (error * samples as f64).round() as u64;
        format!(
            "<tr{class}><th scope=\"row\">{}</th><td class=\"bar\"><i style=\"width:{:.2}%\"></i></td>\
             <td class=\"value\">{}</td><td class=\"note\">{}</td></tr>",
            escaped(name),
            if highest > 0.0 { 100.0 * error / highest } else { 0.0 },
            percent(error, samples),
            counted(mistakes, "mistake"),
        )
    };
    format!(
        "<p>The error rate on the same {} images of the {} data; shorter is better.</p>\n\
         <table class=\"bars\"><thead class=\"hidden\"><tr><th scope=\"col\">method</th><td></td>\
         <th scope=\"col\">error rate</th><th scope=\"col\">mistakes</th></tr></thead><tbody>{}</tbody></table>",
        super::count(samples),
        escaped(&evaluation.split),
        rows.iter().map(row).collect::<String>(),
    )
}
