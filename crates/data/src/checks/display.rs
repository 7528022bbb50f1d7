//! The report as plain text.

use std::fmt;

use crate::checks::{Finding, Report};
use crate::dataset::abridged;
use crate::target::TargetKind;

/// How many classes are shown one by one.
const MAX_ROWS: usize = 20;

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "images  {}\nclasses {}", self.geometry, self.classes.len())?;
        if self.classes.len() > MAX_ROWS {
            write!(formatter, ": {}", abridged(&self.classes, 12))?;
        }
        write!(formatter, "\n\n")?;
        self.write_table(formatter)?;
        for (title, findings) in [("error", &self.errors), ("warning", &self.warnings)] {
            for finding in findings {
                write!(formatter, "\n{title}: {finding}")?;
            }
        }
        if !self.quarantined.is_empty() {
            writeln!(formatter, "\n{} samples are set aside", self.quarantined.len())?;
            self.quarantined.iter().try_for_each(|sample| writeln!(formatter, "  {sample}"))?;
        }
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let verdict = if self.passed() { "the data passed" } else { "the data did not pass" };
        let (errors, warnings) = (count(self.errors.len(), "error"), count(self.warnings.len(), "warning"));
        write!(formatter, "\n{verdict}: {errors}, {warnings}")
    }
}

impl Report {
    /// One row a class, or the smallest and the largest if there are many; one column a split.
    fn write_table(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
        if self.classes.len() <= MAX_ROWS {
            let counts = |class: usize| self.splits.iter().map(|split| split.per_class[class]).collect();
            rows.extend(self.classes.iter().enumerate().map(|(class, name)| (name.clone(), counts(class))));
        } else {
            let extreme = |choose: fn(std::slice::Iter<usize>) -> Option<&usize>| {
                self.splits.iter().map(|split| choose(split.per_class.iter()).copied().unwrap_or(0)).collect()
            };
            rows.push(("smallest class".into(), extreme(|counts| counts.min())));
            rows.push(("largest class".into(), extreme(|counts| counts.max())));
        }
        if self.splits.iter().any(|split| split.unlabelled > 0) {
            rows.push(("no label".into(), self.splits.iter().map(|split| split.unlabelled).collect()));
        }
        let all = match self.kind {
            None | Some(TargetKind::Class) => "all",
            Some(_) => "images",
        };
        rows.push((all.into(), self.splits.iter().map(|split| split.total).collect()));
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max("class".len());
        write!(formatter, "{:width$}", "class")?;
        for counts in &self.splits {
            write!(formatter, "  {:>10}", counts.split)?;
        }
        writeln!(formatter)?;
        for (name, counts) in rows {
            write!(formatter, "{name:width$}")?;
            for count in counts {
                write!(formatter, "  {count:>10}")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.message)?;
        for example in &self.examples {
            writeln!(formatter, "  {example}")?;
        }
        let rest = self.total.saturating_sub(self.examples.len());
        if rest > 0 && !self.examples.is_empty() {
            writeln!(formatter, "  and {rest} more")?;
        }
        Ok(())
    }
}
