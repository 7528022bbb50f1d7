//! What the run was trained and measured on.

use std::collections::BTreeMap;

use serde::Serialize;

use super::counted;
use super::{Report, count, escaped};

/// The data of a run, and what the data gate found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DataSummary {
    /// Where they came from: a path, or the name of data that come with gyrus.
    pub source: String,
    /// The shape of the images, `28x28 grey`.
    pub images: String,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The splits that have samples.
    pub splits: Vec<SplitSummary>,
    /// What the data gate found.
    pub findings: Vec<DataFinding>,
    /// A hash of all samples: equal data have an equal one.
    pub fingerprint: String,
    /// Whose the data are and what may be done with them, if that is known.
    pub licence: Option<String>,
}

/// The samples of a split.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SplitSummary {
    /// The split, `training`.
    pub name: String,
    /// All its samples.
    pub total: u64,
    /// Those of each class.
    pub per_class: Vec<u64>,
}

/// Something wrong with the data, or worth knowing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DataFinding {
    /// Whether the data should not have been used so.
    pub is_error: bool,
    /// What it means and what to do.
    pub message: String,
    /// How many samples it concerns.
    pub total: u64,
    /// Some of them.
    pub examples: Vec<String>,
}

impl DataSummary {
    /// What the data gate reported of data from `source`.
    pub fn of(source: &str, report: &gyrus_data::Report) -> Self {
        let split = |counts: &gyrus_data::checks::SplitCounts| SplitSummary {
            name: counts.split.to_string(),
            total: counts.total as u64,
            per_class: counts.per_class.iter().map(|&count| count as u64).collect(),
        };
        let finding = |is_error| {
            move |finding: &gyrus_data::checks::Finding| DataFinding {
                is_error,
                message: finding.message.clone(),
                total: finding.total as u64,
                examples: finding.examples.clone(),
            }
        };
        let errors = report.errors.iter().map(finding(true));
        Self {
            source: source.to_owned(),
            images: report.geometry.to_string(),
            classes: report.classes.clone(),
            splits: report.splits.iter().map(split).collect(),
            findings: errors.chain(report.warnings.iter().map(finding(false))).collect(),
            fingerprint: report.fingerprint.clone(),
            licence: None,
        }
    }

    /// `60,000 training and 10,000 test images, 28x28 grey, in 10 classes`.
    pub fn in_words(&self) -> String {
        let splits: Vec<String> =
            self.splits.iter().map(|split| format!("{} {}", count(split.total), split.name)).collect();
        let splits = match splits.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => "no".to_owned(),
        };
        let shape = if self.images.is_empty() { String::new() } else { format!(", {}", self.images) };
        format!(
            "{splits} images{shape}, in {}",
            counted(self.classes.len() as u64, "class").replace("classs", "classes")
        )
    }
}

/// With more classes, only extremes are shown.
const MAX_CLASSES: usize = 30;

pub(super) fn section(report: &Report) -> String {
    let data = &report.data;
    if data.splits.is_empty() {
        return String::new();
    }
    let licence =
        data.licence.as_deref().map_or_else(String::new, |text| format!("<p class=\"note\">{}</p>\n", escaped(text)));
    let fingerprint = if data.fingerprint.is_empty() {
        String::new()
    } else {
        format!(
            "<p class=\"note\">Fingerprint of all images, labels and splits: <code>{}</code></p>\n",
            escaped(&data.fingerprint)
        )
    };
    format!(
        "<p>{}{}.</p>\n{}{}{licence}{fingerprint}",
        escaped(&data.in_words()),
        if data.source.is_empty() { String::new() } else { format!(", from <code>{}</code>", escaped(&data.source)) },
        findings(data),
        counts(data),
    )
}

fn findings(data: &DataSummary) -> String {
    if data.findings.is_empty() {
        return "<p class=\"finding good\"><b>Passed.</b> The data gate looked at every image and found nothing wrong: \
                all can be read, none is in two splits, no class is missing or rare.</p>\n"
            .to_owned();
    }
    let finding = |finding: &DataFinding| {
        let (class, name) = if finding.is_error { ("bad", "Error") } else { ("warn", "Warning") };
        let examples: String =
            finding.examples.iter().map(|example| format!("<li>{}</li>", escaped(example))).collect();
        let rest = finding.total.saturating_sub(finding.examples.len() as u64);
        let rest =
            if rest > 0 && !examples.is_empty() { format!("<li>and {} more</li>", count(rest)) } else { String::new() };
        let list = if examples.is_empty() { String::new() } else { format!("<ul>{examples}{rest}</ul>") };
        format!("<div class=\"finding {class}\"><b>{name}.</b> {}{list}</div>\n", escaped(&finding.message))
    };
    data.findings.iter().map(finding).collect()
}

fn counts(data: &DataSummary) -> String {
    let per_class =
        |class: usize| data.splits.iter().map(|split| split.per_class.get(class).copied().unwrap_or(0)).collect();
    let mut rows: Vec<(String, Vec<u64>)> = if data.classes.len() <= MAX_CLASSES {
        data.classes.iter().enumerate().map(|(class, name)| (name.clone(), per_class(class))).collect()
    } else {
        extremes(data)
    };
    // Bars compare classes within a split; the sum below is no class.
    let mut most = BTreeMap::new();
    for (_, counts) in &rows {
        counts.iter().enumerate().for_each(|(split, &count)| {
            let highest: &mut u64 = most.entry(split).or_default();
            *highest = count.max(*highest);
        });
    }
    let bars = rows.len();
    rows.push(("all".to_owned(), data.splits.iter().map(|split| split.total).collect()));
    let cell = |row: usize, split: usize, number: u64| {
        let highest = most.get(&split).copied().unwrap_or(0).max(1);
        let share = if row < bars { 100.0 * number as f64 / highest as f64 } else { 0.0 };
        format!("<td class=\"score\" style=\"--share:{share:.1}%\">{}</td>", count(number))
    };
    let row = |(place, (name, counts)): (usize, &(String, Vec<u64>))| {
        let cells: String = counts.iter().enumerate().map(|(split, &number)| cell(place, split, number)).collect();
        let class = if place < bars { "" } else { " class=\"sum\"" };
        format!("<tr{class}><th scope=\"row\">{}</th>{cells}</tr>", escaped(name))
    };
    let heads: String =
        data.splits.iter().map(|split| format!("<th scope=\"col\">{}</th>", escaped(&split.name))).collect();
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Images by class and split\">\
         <table class=\"numbers classes\"><thead><tr><th scope=\"col\">class</th>{heads}</tr></thead><tbody>{}</tbody></table></div>\n",
        rows.iter().enumerate().map(row).collect::<String>(),
    )
}

/// The smallest, the median and the largest class of each split.
fn extremes(data: &DataSummary) -> Vec<(String, Vec<u64>)> {
    let sorted: Vec<Vec<u64>> = data
        .splits
        .iter()
        .map(|split| {
            let mut counts = split.per_class.clone();
            counts.sort_unstable();
            counts
        })
        .collect();
    let at = |name: &str, place: fn(usize) -> usize| {
        let value = |counts: &Vec<u64>| counts.get(place(counts.len())).copied().unwrap_or(0);
        (name.to_owned(), sorted.iter().map(value).collect())
    };
    vec![
        at("smallest class", |_| 0),
        at("median class", |len| len / 2),
        at("largest class", |len| len.saturating_sub(1)),
    ]
}
