//! The report of a run: one HTML file that needs nothing but itself.

use gyrus_checkpoint::write_atomically;
use serde::Serialize;

pub(super) use self::html::{count, counted, duration, percent};
use self::html::{escaped, significant};

use super::{RecordError, RunFolder, model_card};

mod baselines;
mod calibration;
mod chart;
mod classes;
mod confusion;
mod curves;
mod data;
mod evaluation;
mod html;
mod mistakes;
mod panels;
mod picture;
mod setup;
mod verdict;

pub use curves::Curve;
pub use data::{DataFinding, DataSummary, SplitSummary};
pub use evaluation::{ClassScores, Evaluation, Mistake, ReliabilityBin, wilson_interval};
pub use panels::{Content, Figure, Panel};
pub use picture::picture;

/// Everything that a report shows, in plain values. What is empty or `None` is left out of the page.
///
/// ```
/// use gyrus_train::record::{Evaluation, Report};
///
/// let report = Report {
///     name: "digits-1".into(),
///     evaluation: Some(Evaluation::new("test", &[0.9, 0.1, 0.2, 0.8], 2, &[0, 1])),
///     ..Report::default()
/// };
/// assert_eq!(report.verdict(), "It is right on all 2 test images.");
/// assert!(report.render().starts_with("<!doctype html>"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The run's name, `digits-1`.
    pub name: String,
    /// The task's name, `image_classification`.
    pub task: String,
    /// The model's name, `lenet5`.
    pub model: String,
    /// The run's folder as commands take it, `runs/image_classification/digits-1`.
    pub run: String,
    /// The result in one sentence, where the task has its own way to say it.
    pub headline: Option<String>,
    /// What was measured at the end, the most important first: key figures, and rows of the model card.
    pub measured: Vec<Figure>,
    /// When training ended, in UTC.
    pub time: String,
    /// Epochs trained.
    pub epochs: u64,
    /// The epoch whose model is the result, from 1.
    pub best_epoch: Option<u64>,
    /// How long the run took, in seconds.
    pub seconds: Option<f64>,
    /// Training images a second.
    pub images_per_second: Option<f64>,
    /// Trainable numbers of the model.
    pub num_parameters: Option<u64>,
    /// What was measured after each epoch.
    pub curves: Vec<Curve>,
    /// What was measured at the end, on data that the model has not seen.
    pub evaluation: Option<Evaluation>,
    /// What simple methods reach on the same data.
    pub baselines: Vec<BaselineScore>,
    /// What else the task has to show.
    pub panels: Vec<Panel>,
    /// The data.
    pub data: DataSummary,
    /// The whole configuration, as TOML.
    pub config: String,
    /// Machine and program, as names and texts.
    pub environment: Vec<(String, String)>,
    /// Commands worth knowing: what each is for, and the command.
    pub commands: Vec<(String, String)>,
}

/// What a simple method reaches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineScore {
    /// The method.
    pub name: String,
    /// The share of samples that it gets right, from 0 to 1.
    pub accuracy: f64,
}

/// A part of the page.
struct Section {
    id: String,
    title: String,
    body: String,
}

impl Report {
    /// The result in one sentence.
    pub fn verdict(&self) -> String {
        self.headline.clone().unwrap_or_else(|| verdict::verdict(self))
    }

    /// What a person should notice, a sentence each: the commonest mistake, the weakest class, whether stated
    /// confidence can be trusted, whether more epochs would help.
    pub fn observations(&self) -> Vec<String> {
        verdict::observations(self)
    }

    /// The page. It loads nothing, runs no script, follows the reader's choice of light and dark, and prints.
    pub fn render(&self) -> String {
        let sections: Vec<Section> = self.sections().into_iter().filter(|section| !section.body.is_empty()).collect();
        let links: String =
            sections.iter().map(|section| format!("<a href=\"#{}\">{}</a>", section.id, section.title)).collect();
        let bodies: String = sections
            .iter()
            .map(|Section { id, title, body }| {
                format!("<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>{body}</section>\n")
            })
            .collect();
        let about: Vec<String> = [self.task.replace('_', " "), self.model.clone(), self.data.source.clone()]
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| escaped(text))
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <meta name=\"description\" content=\"{verdict}\">\n\
             <title>{name} – gyrus report</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the results</a>\n\
             <header><div class=\"brand\">{LOGO}<span>gyrus</span><time>{time}</time></div>\n\
             <h1>{name}</h1><p class=\"about\">{about}</p>\n<p class=\"verdict\">{verdict}</p>\n</header>\n\
             <main id=\"main\">\n{figures}{observations}\
             <nav aria-label=\"Sections\">{links}</nav>\n{bodies}</main>\n\
             <footer>Made by gyrus{version}. This page loads nothing and sends nothing.</footer>\n</body>\n</html>\n",
            verdict = escaped(&self.verdict()),
            name = escaped(&self.name),
            style = include_str!("report/style.css"),
            time = escaped(&self.time.replacen('T', " ", 1).replacen('Z', " UTC", 1)),
            about = about.join(" <i>·</i> "),
            figures = self.figures(),
            observations = self.observations_html(),
            version = self
                .environment
                .iter()
                .find(|(name, _)| name == "gyrus")
                .map_or_else(String::new, |(_, version)| format!(" {}", escaped(version))),
        )
    }

    /// Writes report and model card into a run's folder, each crash-safe.
    ///
    /// # Errors
    /// [`RecordError::Lasting`].
    pub fn save(&self, run: &RunFolder) -> Result<(), RecordError> {
        write_atomically(run.report(), |file| file.write_all(self.render().as_bytes()))?;
        write_atomically(run.model_card(), |file| file.write_all(model_card(self).as_bytes()))?;
        Ok(())
    }

    fn sections(&self) -> Vec<Section> {
        let evaluated = |body: fn(&Report, &Evaluation) -> String| {
            self.evaluation.as_ref().map_or_else(String::new, |evaluation| body(self, evaluation))
        };
        let section = |(id, title, body): (&str, &str, String)| Section { id: id.into(), title: title.into(), body };
        let results = [
            ("baselines", "Is it worth it?", evaluated(baselines::section)),
            ("training", "Training", curves::section(self)),
            ("confusion", "What is taken for what", evaluated(confusion::section)),
            ("classes", "Class by class", evaluated(classes::section)),
            ("mistakes", "Worst mistakes", evaluated(mistakes::section)),
            ("calibration", "Can its confidence be trusted?", evaluated(calibration::section)),
        ];
        let origins = [
            ("data", "Data", data::section(self)),
            ("reproduce", "Use and reproduce", setup::commands(self)),
            ("configuration", "Configuration", setup::configuration(self)),
            ("environment", "Environment", setup::environment(self)),
        ];
        let panels = self.panels.iter().map(panels::section);
        results.map(section).into_iter().chain(panels).chain(origins.map(section)).collect()
    }

    /// The key figures.
    fn figures(&self) -> String {
        let mut figures: Vec<(String, String, String)> = Vec::new();
        let mut add = |label: &str, value: String, note: String| figures.push((label.to_owned(), value, note));
        self.measured.iter().for_each(|figure| add(&figure.name, figure.shown(), figure.note.clone()));
        if let Some(evaluation) = self.evaluation.as_ref().filter(|evaluation| evaluation.num_samples() > 0) {
            let (samples, mistakes) = (evaluation.num_samples(), evaluation.num_mistakes());
            let (low, high) = evaluation.accuracy_interval();
            let interval = format!("95% interval {} to {}", percent(low, samples), percent(high, samples));
            add(
                &format!("{} accuracy", capitalized(&evaluation.split)),
                percent(evaluation.accuracy(), samples),
                interval,
            );
            let of = format!("{} of {} images", count(mistakes), count(samples));
            add("Error rate", percent(1.0 - evaluation.accuracy(), samples), of);
        }
        if self.epochs > 0 {
            add("Epochs", count(self.epochs), self.best_epoch.map_or(String::new(), |epoch| format!("best: {epoch}")));
        }
        if let Some(seconds) = self.seconds {
            add("Time", duration(seconds), "training and evaluation".into());
        }
        if let Some(rate) = self.images_per_second {
            add("Speed", count(rate.max(0.0).round() as u64), "training images a second".into());
        }
        if let Some(parameters) = self.num_parameters {
            let size = format!("{} MB in 32-bit floats", significant(parameters as f64 * 4e-6, 2));
            let number = if parameters < 10_000_000 {
                count(parameters)
            } else {
                format!("{} M", significant(parameters as f64 * 1e-6, 3))
            };
            add("Parameters", number, size);
        }
        let cells: String = figures
            .iter()
            .map(|(label, value, note)| {
                let (label, value, note) = (escaped(label), escaped(value), escaped(note));
                format!("<div><dt>{label}</dt><dd><strong>{value}</strong><small>{note}</small></dd></div>")
            })
            .collect();
        if cells.is_empty() { cells } else { format!("<dl class=\"figures\">{cells}</dl>\n") }
    }

    fn observations_html(&self) -> String {
        let items: String =
            self.observations().iter().map(|sentence| format!("<li>{}</li>", escaped(sentence))).collect();
        if items.is_empty() {
            return items;
        }
        let bad = if self.data.findings.iter().any(|finding| finding.is_error) { " bad" } else { "" };
        format!("<aside class=\"observations{bad}\" aria-label=\"What stands out\"><ul>{items}</ul></aside>\n")
    }

    /// The name of a class; its number if it has none.
    fn class_name(&self, class: usize) -> String {
        self.data.classes.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

/// Three folds, as of a brain's surface.
const LOGO: &str =
    "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M3 17c0-8 5-8 5-3s5 5 5-2 5-6 5-1 3 4 3 0\"/></svg>";

pub(super) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
