//! The model card of a run, its `README.md`.

use super::Report;
use super::report::{count, counted, duration, percent};

/// What whoever gets the model should know before using it, as Markdown: what it does, on which data, how well, beside
/// what, within which limits, and how it is used.
///
/// It begins with the metadata that model hubs read.
///
/// # Source
/// Mitchell et al. 2019, "Model Cards for Model Reporting"; the metadata are those of Hugging Face's model cards.
///
/// ```
/// use gyrus_train::record::{Report, model_card};
///
/// let report = Report { name: "digits-1".into(), ..Report::default() };
/// assert!(model_card(&report).contains("# digits-1"));
/// ```
pub fn model_card(report: &Report) -> String {
    let parts = [
        metadata(report),
        format!("# {}\n\n{}", plain(&report.name), plain(&report.verdict())),
        section("Task", task(report)),
        section("Results", results(report)),
        section("Data", data(report)),
        section("Limits", limits(report)),
        section("How to use it", usage(report)),
        section("How it was made", making(report)),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn section(title: &str, body: String) -> String {
    if body.is_empty() { body } else { format!("## {title}\n\n{body}") }
}

/// Text that Markdown and HTML take as it is. The backslash makes any punctuation ordinary.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' | '!' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Text as code; a fence longer than any within.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// The head that hubs read. A JSON string is a YAML string too.
fn metadata(report: &Report) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut lines = vec!["---".to_owned(), "library_name: gyrus".to_owned()];
    if !report.task.is_empty() {
        lines.push(format!("pipeline_tag: {}", quoted(&report.task.replace('_', "-"))));
    }
    if let Some(evaluation) = report.evaluation.as_ref().filter(|evaluation| evaluation.num_samples() > 0) {
        lines.extend([
            "metrics:\n  - accuracy\n  - f1\nmodel-index:".to_owned(),
            format!("  - name: {}", quoted(&report.name)),
            "    results:".to_owned(),
            format!("      - task: {{ type: {} }}", quoted(&report.task.replace('_', "-"))),
            format!(
                "        dataset: {{ name: {}, type: {}, split: {} }}",
                quoted(&report.data.source),
                quoted(&report.data.source),
                quoted(&evaluation.split)
            ),
            "        metrics:".to_owned(),
            format!("          - {{ type: accuracy, value: {:.6} }}", evaluation.accuracy()),
            format!("          - {{ type: f1, name: \"Macro F1\", value: {:.6} }}", evaluation.macro_f1),
        ]);
    } else if !report.measured.is_empty() {
        lines.extend([
            "model-index:".to_owned(),
            format!("  - name: {}", quoted(&report.name)),
            "    results:".to_owned(),
            format!("      - task: {{ type: {} }}", quoted(&report.task.replace('_', "-"))),
            format!("        dataset: {{ name: {0}, type: {0} }}", quoted(&report.data.source)),
            "        metrics:".to_owned(),
        ]);
        let finite = report.measured.iter().filter(|figure| figure.value.is_finite());
        lines.extend(finite.map(|figure| {
            let name = quoted(&figure.name);
            format!("          - {{ type: {name}, value: {:.6} }}", figure.value)
        }));
    }
    lines.push("---".to_owned());
    lines.join("\n")
}

fn task(report: &Report) -> String {
    if report.task.is_empty() {
        return String::new();
    }
    let classes: Vec<String> = report.data.classes.iter().map(|name| plain(name)).collect();
    let listed = match classes.len() {
        0 => String::new(),
        1..=50 => format!(" Classes: {}.", classes.join(", ")),
        many => format!(" Classes: {}, and {} more.", classes[..50].join(", "), many - 50),
    };
    let model = if report.model.is_empty() { String::new() } else { format!(" by the model {}", code(&report.model)) };
    let parameters =
        report.num_parameters.map_or_else(String::new, |number| format!(" of {} trainable parameters", count(number)));
    let name = plain(&report.task.replace('_', " "));
    format!("{}{model}{parameters}.{listed}", super::report::capitalized(&name))
}

fn results(report: &Report) -> String {
    let measured = report.measured.iter().map(|figure| (plain(&figure.name), figure.shown(), plain(&figure.note)));
    let measured: Vec<(String, String, String)> = measured.collect();
    let Some(evaluation) = report.evaluation.as_ref().filter(|evaluation| evaluation.num_samples() > 0) else {
        if !measured.is_empty() {
            let rows = measured.iter().map(|(name, value, note)| format!("| {name} | {value} | {note} |\n"));
            return format!("| | | |\n| --- | --- | --- |\n{}{}", rows.collect::<String>(), noticed(report))
                .trim_end()
                .to_owned();
        }
        return "It was measured on no data that it had not seen.".to_owned();
    };
    let samples = evaluation.num_samples();
    let (low, high) = evaluation.accuracy_interval();
    let mut rows = vec![
        ("accuracy".to_owned(), percent(evaluation.accuracy(), samples)),
        ("95% interval of the accuracy".to_owned(), format!("{} to {}", percent(low, samples), percent(high, samples))),
        ("mistakes".to_owned(), count(evaluation.num_mistakes())),
        ("macro F1".to_owned(), percent(evaluation.macro_f1, samples)),
        ("cross-entropy loss".to_owned(), format!("{:.4}", evaluation.loss)),
        ("expected calibration error, 15 bins".to_owned(), percent(evaluation.calibration_error, samples)),
    ];
    rows.extend(measured.into_iter().map(|(name, value, _)| (name, value)));
    rows.extend(evaluation.top_5_accuracy.map(|share| ("top-5 accuracy".to_owned(), percent(share, samples))));
    let baselines = report.baselines.iter().filter(|baseline| baseline.accuracy.is_finite());
    rows.extend(
        baselines.map(|baseline| {
            (format!("accuracy of the {}", plain(&baseline.name)), percent(baseline.accuracy, samples))
        }),
    );
    let rows: String = rows.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
    let noticed = noticed(report);
    let heading = format!("| on {} {} images | |\n| --- | --- |\n", count(samples), plain(&evaluation.split));
    format!("{heading}{rows}{noticed}").trim_end().to_owned()
}

/// What a person should notice, as a list below a table.
fn noticed(report: &Report) -> String {
    let noticed: String = report.observations().iter().map(|sentence| format!("- {}\n", plain(sentence))).collect();
    if noticed.is_empty() { noticed } else { format!("\n{noticed}") }
}

fn data(report: &Report) -> String {
    let data = &report.data;
    if data.splits.is_empty() {
        return String::new();
    }
    let from = if data.source.is_empty() { String::new() } else { format!(", from {}", code(&data.source)) };
    let mut text = format!("{}{from}.", plain(&data.in_words()));
    if data.findings.is_empty() {
        text.push_str(" The data gate found nothing wrong with them.");
    }
    for finding in &data.findings {
        let kind = if finding.is_error { "Error" } else { "Warning" };
        text.push_str(&format!("\n- {kind} of the data gate: {}", plain(&finding.message)));
    }
    let licence = "Licence of the data: not known to gyrus; ask whoever made them before you share the model.";
    text.push_str(&format!("\n\n{}", data.licence.as_deref().map_or(licence.to_owned(), plain)));
    if !data.fingerprint.is_empty() {
        text.push_str(&format!("\n\nFingerprint: {}", code(&data.fingerprint)));
    }
    text
}

fn limits(report: &Report) -> String {
    let mut limits = Vec::new();
    if report.evaluation.is_some() || !report.measured.is_empty() {
        limits.push("What was measured holds for images like those it was measured on. Measure it on yours before you rely on it.".to_owned());
    }
    if report.data.classes.len() > 1 && report.evaluation.is_some() {
        limits.push(format!(
            "It names one of its {} classes for every image, also for one that shows none of them.",
            count(report.data.classes.len() as u64)
        ));
    }
    if !report.data.images.is_empty() {
        limits.push(format!(
            "It was trained on images of {}; others are resized to what it takes.",
            plain(&report.data.images)
        ));
    }
    if report.data.findings.iter().any(|finding| finding.is_error) {
        limits.push("It was trained although the data gate found errors.".to_owned());
    }
    limits.iter().map(|limit| format!("- {limit}")).collect::<Vec<_>>().join("\n")
}

fn usage(report: &Report) -> String {
    let run = if report.run.is_empty() { "RUN" } else { &report.run };
    // A name that a shell would take apart stands in quotes.
    let is_simple = run.chars().all(|letter| letter.is_alphanumeric() || "/._-".contains(letter));
    let run = if is_simple { run.to_owned() } else { format!("'{}'", run.replace('\'', "'\\''")) };
    fenced(
        "sh",
        &format!(
            "gyrus predict {run} photo.png      # one image, a folder, or - for standard input\ngyrus eval {run} --data PATH       # on other data"
        ),
    )
}

fn making(report: &Report) -> String {
    let mut facts = Vec::new();
    if report.epochs > 0 {
        let best = report.best_epoch.map_or_else(String::new, |epoch| format!(", the best of them {epoch}"));
        facts.push(format!("{}{best}", counted(report.epochs, "epoch")));
    }
    facts.extend(report.seconds.map(duration));
    facts.extend(
        report.images_per_second.map(|rate| format!("{} training images a second", count(rate.max(0.0) as u64))),
    );
    let mut parts = Vec::new();
    if !facts.is_empty() {
        parts.push(format!("{}.", facts.join("; ")));
    }
    if !report.environment.is_empty() {
        let rows: String =
            report.environment.iter().map(|(name, fact)| format!("| {} | {} |\n", plain(name), plain(fact))).collect();
        parts.push(format!("| | |\n| --- | --- |\n{}", rows.trim_end()));
    }
    if !report.commands.is_empty() {
        let lines: Vec<String> =
            report.commands.iter().map(|(purpose, command)| format!("# {purpose}\n{command}")).collect();
        parts.push(fenced("sh", &lines.join("\n")));
    }
    if !report.config.is_empty() {
        parts.push(fenced("toml", report.config.trim_end()));
    }
    parts.join("\n\n")
}

/// A block of code; a fence longer than any within.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BaselineScore, DataSummary, Evaluation, SplitSummary};

    fn report() -> Report {
        Report {
            name: "my_digits <1>".into(),
            task: "image_classification".into(),
            model: "lenet5".into(),
            run: "runs/image classification/it's".into(),
            num_parameters: Some(61_706),
            epochs: 15,
            best_epoch: Some(12),
            evaluation: Some(Evaluation::new("test", &[0.9, 0.1, 0.2, 0.8, 0.7, 0.3], 2, &[0, 1, 1])),
            baselines: vec![BaselineScore { name: "majority class (a|b)".into(), accuracy: 1.0 / 3.0 }],
            data: DataSummary {
                source: "digits".into(),
                classes: vec!["a|b".into(), "*c*".into()],
                splits: vec![SplitSummary { name: "test".into(), total: 3, per_class: vec![1, 2] }],
                ..DataSummary::default()
            },
            config: "a = \"```\"\n".into(),
            ..Report::default()
        }
    }

    #[test]
    fn it_says_what_a_card_must_say() {
        let card = model_card(&report());
        for part in [
            "# my\\_digits \\<1\\>",
            "## Task\n\nImage classification by the model `lenet5` of 61,706 trainable parameters. Classes: a\\|b, \\*c\\*.",
            "| accuracy | 67% |",
            "| accuracy of the majority class (a\\|b) | 33% |",
            "Licence of the data: not known",
            "one of its 2 classes for every image",
            "gyrus predict 'runs/image classification/it'\\''s' photo.png",
            "15 epochs, the best of them 12.",
            "````toml\na = \"```\"\n````",
        ] {
            assert!(card.contains(part), "{part}\nis not in\n{card}");
        }
        assert!(card.starts_with("---\nlibrary_name: gyrus\npipeline_tag: \"image-classification\"\n"), "{card}");
        assert!(card.contains("  - name: \"my_digits <1>\"\n"), "{card}");
    }

    #[test]
    fn nothing_known_is_no_panic() {
        let card = model_card(&Report::default());
        assert!(card.contains("measured on no data") && !card.contains("NaN"), "{card}");
    }

    #[test]
    fn code_survives_its_own_marks() {
        assert_eq!([code("a"), code("a`b"), code("``")], ["`a`", "`` a`b ``", "``` `` ```"]);
    }
}
