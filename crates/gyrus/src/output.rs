//! Results to standard output, messages to standard error.

use std::fmt;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// Where a command's results and messages go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether results are JSON.
    pub json: bool,
}

impl Output {
    /// A line of the result.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn line(self, text: impl fmt::Display) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }

    /// The result as it is to be printed: either for a program, or for a person.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn result(self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) -> io::Result<()> {
        if self.json { self.line(json()) } else { self.line(text().trim_end_matches('\n')) }
    }

    /// A message to a person. That nobody can read it is no reason to stop.
    pub fn say(self, message: &str) {
        let _ = writeln!(io::stderr(), "{message}");
    }

    /// Says why a command did not succeed.
    pub fn fail(self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        self.say(&format!("error: {failure}"));
        self.error_event(&failure.to_string(), failure.exit_code());
    }

    /// What a program is told of an error.
    pub fn error_event(self, message: &str, code: u8) {
        if self.json {
            let _ = self.line(json!({ "event": "error", "message": message, "code": code }));
        }
    }
}

/// An event with the names and values of metrics.
pub fn event<'a>(name: &str, facts: impl IntoIterator<Item = (&'a str, Value)>, scores: &'a [(String, f64)]) -> Value {
    let facts = facts.into_iter().map(|(key, value)| (key.to_owned(), value));
    let scores = scores.iter().map(|(name, value)| (name.clone(), json!(value)));
    let all: Map<String, Value> = [("event".to_owned(), json!(name))].into_iter().chain(facts).chain(scores).collect();
    Value::Object(all)
}

/// Names and values in two columns.
pub fn table<'a, V: fmt::Display>(rows: impl IntoIterator<Item = (&'a str, V)>) -> String {
    let rows: Vec<(&str, V)> = rows.into_iter().collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

/// A metric for a person: a whole number as such, others to four decimal places, or digits where they are small.
pub fn number(value: f64) -> String {
    match value {
        _ if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value}"),
        _ if value.abs() < 1e-3 => format!("{value:.3e}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_the_order() {
        let scores = [("test/accuracy".to_owned(), 0.5), ("loss".to_owned(), f64::NAN)];
        let line = event("done", [("run", json!("runs/a/b-1"))], &scores).to_string();
        assert_eq!(line, r#"{"event":"done","run":"runs/a/b-1","test/accuracy":0.5,"loss":null}"#);
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<String> = [61706.0, 0.9941, 1.0, 0.0, 2.5e-5, 12.34567].into_iter().map(number).collect();
        assert_eq!(shown, ["61706", "0.9941", "1", "0", "2.500e-5", "12.3457"]);
    }
}
