//! `gyrus runs ls|show|compare|rm`.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};

use gyrus::train::record::{Environment, MetricsLog, RunComparison, RunFolder};
use serde_json::{Map, Value, json};

use crate::arguments::Runs;
use crate::failure::Failure;
use crate::output::{self, Output};

pub fn runs(command: Runs, output: Output) -> Result<u8, Failure> {
    match command {
        Runs::Ls(runs) => list(RunFolder::list(&runs.folder), output)?,
        Runs::Show { run, runs } => show(&RunFolder::open(&runs.folder, &run)?, output)?,
        Runs::Compare { names, runs } => {
            let open = |name: &String| RunFolder::open(&runs.folder, name);
            compare(&names.iter().map(open).collect::<Result<Vec<_>, _>>()?, output)?;
        }
        Runs::Rm { names, yes, runs } => {
            // All are found before one is removed.
            let open = |name: &String| RunFolder::open(&runs.folder, name);
            remove(names.iter().map(open).collect::<Result<Vec<_>, _>>()?, yes, output)?;
        }
    }
    Ok(0)
}

/// What a list tells of a run.
struct Summary {
    run: RunFolder,
    started: Option<String>,
    /// Whole epochs done.
    epochs: u64,
    /// What was measured at the end, or else what was measured last.
    scores: Vec<(String, f64)>,
    is_complete: bool,
}

impl Summary {
    /// What can be read of a run; a list is not to fail because one run is damaged.
    fn of(run: RunFolder) -> Summary {
        let lines = MetricsLog::read(run.metrics()).unwrap_or_default();
        let results = fs::read(run.path().join("results.json")).ok();
        let results: Option<Map<String, Value>> = results.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let is_complete = results.is_some();
        let scores = match (results, lines.last()) {
            (Some(results), _) => {
                results.into_iter().map(|(name, value)| (name, value.as_f64().unwrap_or(f64::NAN))).collect()
            }
            (None, Some(line)) => {
                line.values().map(|(name, value)| (format!("{}/{name}", line.split), value)).collect()
            }
            (None, None) => vec![],
        };
        let started = Environment::load(run.environment()).ok().map(|environment| environment.time);
        Summary { epochs: lines.last().map_or(0, |line| line.epoch), run, started, scores, is_complete }
    }

    fn state(&self) -> &'static str {
        if self.is_complete { "complete" } else { "unfinished" }
    }

    fn json(&self) -> Map<String, Value> {
        let scores: Map<String, Value> = self.scores.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let facts = json!({
            "run": self.run.path().display().to_string(),
            "task": self.run.task(),
            "name": self.run.name(),
            "started": self.started,
            "state": self.state(),
            "epochs": self.epochs,
            "scores": scores,
        });
        let Value::Object(facts) = facts else { unreachable!("written as an object") };
        facts
    }
}

fn list(runs: Vec<RunFolder>, output: Output) -> io::Result<()> {
    let summaries: Vec<Summary> = runs.into_iter().map(Summary::of).collect();
    if output.json {
        return summaries.iter().try_for_each(|summary| output.line(Value::Object(summary.json())));
    }
    if summaries.is_empty() {
        output.say("there are no runs yet; `gyrus train digits` makes one");
        return Ok(());
    }
    let names: Vec<String> = summaries.iter().map(|summary| summary.run.full_name()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    output.line(format_args!("{:width$}  {:20}  {:10}  {:>6}  result", "run", "started", "state", "epochs"))?;
    for (summary, name) in summaries.iter().zip(names) {
        let started = summary.started.as_deref().unwrap_or("–");
        let first = summary.scores.first();
        let result = first.map_or(String::new(), |(name, value)| format!("{name} {}", output::number(*value)));
        let (state, epochs) = (summary.state(), summary.epochs);
        output.line(format_args!("{name:width$}  {started:20}  {state:10}  {epochs:>6}  {result}"))?;
    }
    Ok(())
}

fn show(run: &RunFolder, output: Output) -> Result<(), Failure> {
    let path = run.config();
    let config = fs::read_to_string(&path).map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
    let summary = Summary::of(run.clone());
    let json = || {
        let mut facts = summary.json();
        let settings = config.parse::<toml::Table>().ok().and_then(|table| serde_json::to_value(table).ok());
        facts.insert("settings".to_owned(), json!(settings));
        Value::Object(facts)
    };
    let text = || {
        let report = run.report();
        let mut facts = vec![("run", run.path().display().to_string())];
        facts.extend(summary.started.clone().map(|started| ("started", started)));
        facts.push(("state", summary.state().to_owned()));
        facts.push(("epochs", summary.epochs.to_string()));
        facts.extend(report.exists().then(|| ("report", report.display().to_string())));
        let scores = output::table(summary.scores.iter().map(|(name, value)| (&**name, output::number(*value))));
        format!("{}\n{config}\n{scores}", output::table(facts))
    };
    Ok(output.result(json, text)?)
}

fn compare(runs: &[RunFolder], output: Output) -> Result<(), Failure> {
    let comparison = RunComparison::of(runs)?;
    let RunComparison { runs, settings, metrics } = &comparison;
    let json = || json!({ "runs": runs, "settings": settings, "metrics": metrics });
    Ok(output.result(json, || comparison.to_string())?)
}

fn remove(runs: Vec<RunFolder>, yes: bool, output: Output) -> Result<(), Failure> {
    let names: Vec<String> = runs.iter().map(|run| run.path().display().to_string()).collect();
    if !yes {
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage("runs rm: there is no terminal to ask on; say --yes".to_owned()));
        }
        let _ = write!(io::stderr(), "remove {} with all files? [y/N] ", names.join(", "));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Err(Failure::Other("nothing was removed".to_owned()));
        }
    }
    for (run, name) in runs.into_iter().zip(names) {
        run.remove()?;
        output.result(|| json!({ "event": "removed", "run": name }), || format!("removed {name}"))?;
    }
    Ok(())
}
