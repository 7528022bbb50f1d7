use std::collections::BTreeMap;
use std::fmt;

use super::{MetricsLog, RecordError, RunFolder};

/// Several runs side by side: the settings in which they differ and their last value of each metric.
#[derive(Clone, Debug, PartialEq)]
pub struct RunComparison {
    /// Task and name of each run.
    pub runs: Vec<String>,
    /// Settings that are not equal in all runs (`optimizer.learning_rate`), with the value of each; `None` where a
    /// run has no such setting.
    pub settings: BTreeMap<String, Vec<Option<String>>>,
    /// Metrics by split and name (`validation accuracy`), with the last value of each; `None` where a run has not
    /// measured it.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
}

impl RunComparison {
    /// Reads configuration and metrics of runs.
    ///
    /// # Errors
    /// [`RecordError::Read`] or [`RecordError::Malformed`]. A run that has measured nothing yet is no error.
    pub fn of(runs: &[RunFolder]) -> Result<Self, RecordError> {
        let mut settings: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        let mut metrics: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
        for (place, run) in runs.iter().enumerate() {
            for (key, value) in settings_of(run)? {
                settings.entry(key).or_insert_with(|| vec![None; runs.len()])[place] = Some(value);
            }
            let lines = if run.metrics().exists() { MetricsLog::read(run.metrics())? } else { Vec::new() };
            for line in &lines {
                for (name, value) in line.values() {
                    let key = format!("{} {name}", line.split);
                    metrics.entry(key).or_insert_with(|| vec![None; runs.len()])[place] = Some(value);
                }
            }
        }
        settings.retain(|_, values| values.iter().any(|value| value != &values[0]));
        Ok(Self { runs: runs.iter().map(RunFolder::full_name).collect(), settings, metrics })
    }
}

fn settings_of(run: &RunFolder) -> Result<BTreeMap<String, String>, RecordError> {
    let path = run.config();
    let text = std::fs::read_to_string(&path).map_err(RecordError::read(&path))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| RecordError::Malformed {
        line: error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count()),
        path,
        reason: error.message().to_owned(),
    })?;
    let mut settings = BTreeMap::new();
    flatten("", &table, &mut settings);
    Ok(settings)
}

fn flatten(prefix: &str, table: &toml::Table, settings: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, settings),
            value => {
                settings.insert(path, value.to_string());
            }
        }
    }
}

/// A table for a terminal: a column per run, settings that differ above the metrics.
impl fmt::Display for RunComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
        let number = |value: &Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
        let settings = self.settings.iter().map(|(key, values)| (key, values.iter().map(shown).collect()));
        let metrics = self.metrics.iter().map(|(key, values)| (key, values.iter().map(number).collect()));
        let rows: Vec<(&String, Vec<String>)> = settings.chain(metrics).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|(_, cells)| cells[column].chars().count());
            cells.chain([self.runs[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.runs.len()).map(width).collect();
        let first = rows.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        let mut row = |key: &str, cells: &[String]| {
            write!(f, "{key:first$}")?;
            cells.iter().zip(&widths).try_for_each(|(cell, width)| write!(f, "  {cell:>width$}"))?;
            writeln!(f)
        };
        row("", &self.runs)?;
        rows.iter().try_for_each(|(key, cells)| row(key, cells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::MetricsLine;

    fn run_with(root: &std::path::Path, name: &str, config: &str, accuracies: &[f64]) -> RunFolder {
        let run = RunFolder::create(root, "image_classification", name).unwrap();
        std::fs::write(run.config(), config).unwrap();
        if !accuracies.is_empty() {
            let mut log = MetricsLog::create(run.metrics()).unwrap();
            for (step, accuracy) in accuracies.iter().enumerate() {
                log.append(&MetricsLine::new(step as u64, 0, "validation", [("accuracy", *accuracy)])).unwrap();
            }
        }
        run
    }

    #[test]
    fn shows_what_differs_and_the_last_values() {
        let root = tempfile::tempdir().unwrap();
        let first = "seed = 1\n[optimizer]\nname = \"adam\"\nlearning_rate = 0.001\n";
        let second = "seed = 1\n[optimizer]\nname = \"sgd\"\nlearning_rate = 0.001\nmomentum = 0.9\n";
        let runs = [run_with(root.path(), "a", first, &[0.5, 0.75]), run_with(root.path(), "b", second, &[])];
        let table = RunComparison::of(&runs).unwrap().to_string();
        let expected = [
            "                     image_classification/a  image_classification/b\n",
            "optimizer.momentum                        –                     0.9\n",
            "optimizer.name                       \"adam\"                   \"sgd\"\n",
            "validation accuracy                  0.7500                       –\n",
        ]
        .concat();
        assert_eq!(table, expected);
    }

    #[test]
    fn a_broken_config_is_named() {
        let root = tempfile::tempdir().unwrap();
        let run = run_with(root.path(), "a", "seed = 1\nname = \n", &[]);
        let error = RunComparison::of(&[run]).unwrap_err().to_string();
        assert!(error.contains("config.toml, line 2"), "{error}");
    }
}
