//! The numbers of an operation, by name: how they are read, checked and written.

use crate::transforms::Operation;
use crate::{DataError, Result};

/// A number of an operation, or a range of numbers.
pub(crate) struct Setting<'a> {
    name: &'static str,
    value: Value<'a>,
    limits: [f32; 2],
    unit: &'static str,
    /// What changes nothing and need not be written.
    neutral: Option<[f32; 2]>,
}

enum Value<'a> {
    Number(&'a mut f32),
    /// A single number stands for the range from its negative to itself, if it is `around` zero.
    Range {
        range: &'a mut [f32; 2],
        is_around_zero: bool,
    },
}

impl<'a> Setting<'a> {
    /// A number between limits; the unit is for messages.
    pub(crate) fn number(name: &'static str, value: &'a mut f32, limits: [f32; 2], unit: &'static str) -> Self {
        Self { name, value: Value::Number(value), limits, unit, neutral: None }
    }

    /// How often the operation does anything.
    pub(crate) fn probability(value: &'a mut f32) -> Self {
        Self::number("probability", value, [0.0, 1.0], "")
    }

    /// A range within limits.
    pub(crate) fn range(name: &'static str, range: &'a mut [f32; 2], limits: [f32; 2], unit: &'static str) -> Self {
        Self { name, value: Value::Range { range, is_around_zero: false }, limits, unit, neutral: None }
    }

    /// A range for which a single number may stand: from its negative to itself.
    pub(crate) fn around_zero(
        name: &'static str,
        range: &'a mut [f32; 2],
        limits: [f32; 2],
        unit: &'static str,
    ) -> Self {
        Self { name, value: Value::Range { range, is_around_zero: true }, limits, unit, neutral: None }
    }

    /// Not to be written if it is this.
    pub(crate) fn unless(self, neutral: [f32; 2]) -> Self {
        Self { neutral: Some(neutral), ..self }
    }

    fn numbers(&self) -> [f32; 2] {
        match &self.value {
            Value::Number(number) => [**number; 2],
            Value::Range { range, .. } => **range,
        }
    }

    fn parse(&mut self, text: &str, setting: &dyn Fn() -> String) -> Result<()> {
        match &mut self.value {
            Value::Number(number) => **number = parse_number(text, setting)?,
            Value::Range { range, is_around_zero } => {
                **range = match text.split_once("..") {
                    Some((from, to)) => [parse_number(from, setting)?, parse_number(to, setting)?],
                    None if *is_around_zero => {
                        let size = parse_number(text, setting)?.abs();
                        [-size, size]
                    }
                    None => return Err(DataError::setting(setting(), "must be a range, such as 0.9..1.1")),
                }
            }
        }
        Ok(())
    }

    /// What is wrong with the numbers, if something is.
    fn broken_rule(&self) -> Option<String> {
        let ([from, to], [least, most]) = (self.numbers(), self.limits);
        let fits = least <= from && from <= to && to <= most;
        let unit = if self.unit.is_empty() { String::new() } else { format!("{} ", self.unit) };
        let order = if matches!(self.value, Value::Range { .. }) { ", the smaller first" } else { "" };
        (!fits).then(|| format!("{} must be {unit}in {least}..{most}{order}", self.name))
    }

    /// `name=value`, unless that says nothing.
    fn text(&self) -> Option<String> {
        let numbers = self.numbers();
        if self.neutral == Some(numbers) {
            return None;
        }
        let [from, to] = numbers;
        Some(match self.value {
            Value::Number(_) => format!("{}={from}", self.name),
            Value::Range { .. } => format!("{}={from}..{to}", self.name),
        })
    }
}

fn parse_number(text: &str, setting: &dyn Fn() -> String) -> Result<f32> {
    text.trim().parse().map_err(|_| DataError::setting(setting(), format!("\"{}\" is not a number", text.trim())))
}

/// Reads `name=value, ...` into an operation.
pub(super) fn parse(operation: &mut Operation, arguments: &str) -> Result<()> {
    let name = operation.change().name();
    for argument in arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()) {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(DataError::setting(format!("{name}: {argument}"), "must be a name, =, and a number or range"));
        };
        let (key, value) = (key.trim(), value.trim());
        let key = if key == "p" { "probability" } else { key };
        let shown = || format!("{name}: {key}={value}");
        let mut settings = operation.change_mut().settings();
        match settings.iter_mut().find(|setting| setting.name == key) {
            Some(setting) => setting.parse(value, &shown)?,
            None => {
                let known: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
                return Err(unknown(&shown(), key, &known));
            }
        }
    }
    Ok(())
}

/// Whether every number is in its range.
pub(super) fn validate(operation: &Operation) -> Result<()> {
    let broken = operation.clone().change_mut().settings().iter().find_map(Setting::broken_rule);
    broken.map_or(Ok(()), |rule| Err(DataError::setting(operation.to_string(), rule)))
}

/// As it is read.
pub(super) fn text(operation: &Operation) -> String {
    let name = operation.change().name();
    let settings: Vec<String> = operation.clone().change_mut().settings().iter().filter_map(Setting::text).collect();
    format!("{name}({})", settings.join(","))
}

/// What to say of a word that is not among those that are known.
pub(super) fn unknown(setting: &str, word: &str, known: &[&str]) -> DataError {
    let nearest = known.iter().map(|name| (strsim::osa_distance(word, name), name)).min();
    let hint = nearest.filter(|&(distance, _)| distance <= 2).map(|(_, name)| format!("; did you mean {name}?"));
    DataError::setting(setting, format!("must be one of {}{}", known.join(", "), hint.unwrap_or_default()))
}
