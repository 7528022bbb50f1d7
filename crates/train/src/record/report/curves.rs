//! What was measured after each epoch, as curves and as numbers.

use std::collections::BTreeSet;

use serde::Serialize;

use super::chart::{Across, Chart, Kind, Series};
use super::{Report, escaped, significant};
use crate::record::MetricsLine;

/// One measurement over the epochs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curve {
    /// The metric, `loss`.
    pub metric: String,
    /// What it was measured on, `validation`.
    pub split: String,
    /// Epochs, from 1, with the value after each.
    pub points: Vec<(u64, f64)>,
}

impl Curve {
    /// The curves in the lines of a log, loss first and learning rate last, otherwise in the order of the log.
    pub fn from_lines(lines: &[MetricsLine]) -> Vec<Curve> {
        let mut curves: Vec<Curve> = Vec::new();
        for line in lines {
            for (metric, value) in line.values() {
                let point = (line.epoch, value);
                match curves.iter_mut().find(|curve| curve.metric == metric && curve.split == line.split) {
                    Some(curve) => curve.points.push(point),
                    None => {
                        curves.push(Curve { metric: metric.to_owned(), split: line.split.clone(), points: vec![point] })
                    }
                }
            }
        }
        curves.sort_by_key(|curve| match curve.metric.as_str() {
            "loss" => 0,
            "learning_rate" => 2,
            _ => 1,
        });
        curves
    }
}

impl Report {
    /// The curve of a metric on a split.
    pub(super) fn curve(&self, metric: &str, split: &str) -> Option<&Curve> {
        self.curves.iter().find(|curve| curve.metric == metric && curve.split == split)
    }
}

/// More charts than this are shown on demand.
const MAX_CHARTS: usize = 6;

pub(super) fn section(report: &Report) -> String {
    let mut metrics: Vec<&str> = Vec::new();
    for curve in &report.curves {
        if !metrics.contains(&curve.metric.as_str()) && curve.points.iter().any(|(_, value)| value.is_finite()) {
            metrics.push(&curve.metric);
        }
    }
    if metrics.is_empty() {
        return String::new();
    }
    // The first ones, and the learning rate, which is the last.
    let is_many = metrics.len() > MAX_CHARTS;
    let is_shown = |place: usize| !is_many || place + 1 < MAX_CHARTS || place + 1 == metrics.len();
    let (shown, others): (Vec<_>, Vec<_>) = metrics.iter().enumerate().partition(|(place, _)| is_shown(*place));
    let charts = |metrics: &[(usize, &&str)]| {
        let last = metrics.len().saturating_sub(1);
        let metrics = metrics.iter().map(|(_, metric)| **metric).enumerate();
        // Charts stand in pairs; one that is left over fills its row.
        let charts: String =
            metrics.map(|(place, metric)| chart(report, metric, place == last && place % 2 == 0)).collect();
        format!("<div class=\"charts\">{charts}</div>\n")
    };
    let others = match others.len() {
        0 => String::new(),
        count => format!("<details><summary>{count} more curves</summary>{}</details>\n", charts(&others)),
    };
    format!("{}{others}{}", charts(&shown), numbers(report, &metrics))
}

fn chart(report: &Report, metric: &str, is_wide: bool) -> String {
    let curves: Vec<(&str, Vec<(f64, f64)>)> = report
        .curves
        .iter()
        .filter(|curve| curve.metric == metric)
        .map(|curve| (&*curve.split, curve.points.iter().map(|&(epoch, value)| (epoch as f64, value)).collect()))
        .collect();
    let series = curves.iter().map(|(name, points)| Series { name, points }).collect();
    let kind = match metric {
        _ if metric.contains("accuracy") => Kind::Share,
        "loss" => Kind::Number { may_be_logarithmic: true },
        _ => Kind::Number { may_be_logarithmic: false },
    };
    let best = report.best_epoch.map(|epoch| epoch as f64);
    Chart { title: &title(metric), across: Across::Epochs, up: "", kind, series, best, is_wide }.render()
}

fn title(metric: &str) -> String {
    super::capitalized(&metric.replace('_', " "))
}

/// The same as a table, for whoever cannot see curves or wants the numbers.
fn numbers(report: &Report, metrics: &[&str]) -> String {
    let curves: Vec<&Curve> = report.curves.iter().filter(|curve| metrics.contains(&&*curve.metric)).collect();
    let epochs: BTreeSet<u64> = curves.iter().flat_map(|curve| &curve.points).map(|(epoch, _)| *epoch).collect();
    let heads: String = curves
        .iter()
        .map(|curve| {
            format!("<th scope=\"col\">{} {}</th>", escaped(&curve.split), escaped(&curve.metric.replace('_', " ")))
        })
        .collect();
    let row = |epoch: &u64| {
        let value = |curve: &&Curve| {
            let point = curve.points.iter().find(|(own, _)| own == epoch);
            format!("<td>{}</td>", point.map_or_else(String::new, |(_, value)| significant(*value, 4)))
        };
        let best = if report.best_epoch == Some(*epoch) { " class=\"best\"" } else { "" };
        let values: String = curves.iter().map(value).collect();
        format!("<tr{best}><th scope=\"row\">{epoch}</th>{values}</tr>")
    };
    let rows: String = epochs.iter().map(row).collect();
    format!(
        "<details><summary>All numbers</summary><div class=\"scroll\" role=\"region\" tabindex=\"0\" \
         aria-label=\"All numbers of all epochs\"><table class=\"numbers\"><thead><tr><th scope=\"col\">epoch</th>{heads}\
         </tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_curves_the_first_and_the_last_are_shown() {
        let curve = |metric: &str| Curve { metric: metric.into(), split: "validation".into(), points: vec![(1, 0.5)] };
        let metrics = ["loss", "a", "b", "c", "d", "e", "f", "learning_rate"];
        let report = Report { curves: metrics.map(curve).to_vec(), ..Report::default() };
        let page = section(&report);
        let (shown, rest) = page.split_once("<details><summary>2 more curves").unwrap();
        assert_eq!(shown.matches("<figure").count(), 6);
        assert!(shown.contains("<h3>Learning rate") && rest.contains("<h3>E") && rest.contains("<h3>F"));
        let few = Report { curves: metrics[..6].iter().copied().map(curve).collect(), ..Report::default() };
        assert!(!section(&few).contains("more curves"));
    }

    #[test]
    fn lines_become_curves() {
        let line = |epoch, split, values: [(&'static str, f64); 2]| MetricsLine::new(10 * epoch, epoch, split, values);
        let lines = [
            line(1, "train", [("learning_rate", 0.1), ("accuracy", 0.5)]),
            line(1, "validation", [("loss", 2.0), ("accuracy", 0.6)]),
            line(2, "train", [("learning_rate", 0.05), ("accuracy", 0.7)]),
        ];
        let curves = Curve::from_lines(&lines);
        let names: Vec<_> = curves.iter().map(|curve| format!("{} {}", curve.split, curve.metric)).collect();
        assert_eq!(names, ["validation loss", "train accuracy", "validation accuracy", "train learning_rate"]);
        assert_eq!(curves[1].points, [(1, 0.5), (2, 0.7)]);
    }
}
