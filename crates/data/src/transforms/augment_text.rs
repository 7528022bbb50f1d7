//! Augmentation as text, and back.

use std::fmt;
use std::str::FromStr;

use crate::transforms::{Affine, Augment, Elastic, Erase, Flip, Operation};
use crate::{DataError, Result};

const NAMES: [&str; 7] = ["none", "light", "strong", "affine", "flip", "elastic", "erase"];

impl FromStr for Augment {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Augment> {
        let mut operations = Vec::new();
        for part in split_outside_parentheses(text) {
            let (name, arguments) = match part.split_once('(') {
                None => (part, ""),
                Some((name, rest)) => match rest.strip_suffix(')') {
                    Some(arguments) => (name.trim(), arguments.trim()),
                    None => return Err(DataError::setting(part, "the parenthesis is not closed")),
                },
            };
            let preset = match name {
                "none" => Some(Augment::none()),
                "light" => Some(Augment::light()),
                "strong" => Some(Augment::strong()),
                _ => None,
            };
            match preset {
                Some(preset) if arguments.is_empty() => operations.extend(preset.operations().iter().cloned()),
                Some(_) => return Err(DataError::setting(part, "a preset takes no settings")),
                None => operations.push(operation(name, arguments)?),
            }
        }
        Augment::new(operations)
    }
}

fn operation(name: &str, arguments: &str) -> Result<Operation> {
    let mut operation = match name {
        "affine" => Operation::Affine(Affine::default()),
        "flip" => Operation::Flip(Flip { probability: 0.5 }),
        "elastic" => Operation::Elastic(Elastic { alpha: 34.0, sigma: 4.0 }),
        "erase" => Operation::Erase(Erase { probability: 0.5, area: [0.02, 0.2] }),
        _ => return Err(unknown(&format!("augmentation \"{name}\""), name, &NAMES)),
    };
    for argument in arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()) {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(DataError::setting(format!("{name}: {argument}"), "must be a name, =, and a number or range"));
        };
        let (key, value) = (key.trim(), value.trim());
        let setting = || format!("{name}: {key}={value}");
        match (&mut operation, key) {
            (Operation::Affine(affine), "rotate") => affine.rotate = around_zero(value, setting)?,
            (Operation::Affine(affine), "translate") => affine.translate = around_zero(value, setting)?,
            (Operation::Affine(affine), "shear") => affine.shear = around_zero(value, setting)?,
            (Operation::Affine(affine), "scale") => affine.scale = range(value, setting)?,
            (Operation::Flip(flip), "probability" | "p") => flip.probability = number(value, setting)?,
            (Operation::Elastic(elastic), "alpha") => elastic.alpha = number(value, setting)?,
            (Operation::Elastic(elastic), "sigma") => elastic.sigma = number(value, setting)?,
            (Operation::Erase(erase), "probability" | "p") => erase.probability = number(value, setting)?,
            (Operation::Erase(erase), "area") => erase.area = range(value, setting)?,
            _ => return Err(unknown(&setting(), key, settings_of(&operation))),
        }
    }
    Ok(operation)
}

fn settings_of(operation: &Operation) -> &'static [&'static str] {
    match operation {
        Operation::Affine(_) => &["rotate", "translate", "scale", "shear"],
        Operation::Flip(_) => &["probability"],
        Operation::Elastic(_) => &["alpha", "sigma"],
        Operation::Erase(_) => &["probability", "area"],
    }
}

fn unknown(setting: &str, word: &str, known: &[&str]) -> DataError {
    let nearest = known.iter().map(|name| (strsim::osa_distance(word, name), name)).min();
    let hint = nearest.filter(|&(distance, _)| distance <= 2).map(|(_, name)| format!("; did you mean {name}?"));
    DataError::setting(setting, format!("must be one of {}{}", known.join(", "), hint.unwrap_or_default()))
}

fn number(text: &str, setting: impl Fn() -> String) -> Result<f32> {
    text.trim().parse().map_err(|_| DataError::setting(setting(), format!("\"{}\" is not a number", text.trim())))
}

fn range(text: &str, setting: impl Fn() -> String) -> Result<[f32; 2]> {
    let Some((from, to)) = text.split_once("..") else {
        return Err(DataError::setting(setting(), "must be a range, such as 0.9..1.1"));
    };
    Ok([number(from, &setting)?, number(to, &setting)?])
}

fn around_zero(text: &str, setting: impl Fn() -> String) -> Result<[f32; 2]> {
    if text.contains("..") {
        return range(text, setting);
    }
    let size = number(text, setting)?.abs();
    Ok([-size, size])
}

/// The parts between commas that are in no parentheses.
fn split_outside_parentheses(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let parts = text.split(move |letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Whether every number is in its range.
pub(super) fn validate(operation: &Operation) -> Result<()> {
    let ordered =
        |range: [f32; 2], least: f32, most: f32| least <= range[0] && range[0] <= range[1] && range[1] <= most;
    let rule = match operation {
        Operation::Affine(affine) if !ordered(affine.rotate, -360.0, 360.0) => "rotate must be degrees in -360..360",
        Operation::Affine(affine) if !ordered(affine.translate, -1.0, 1.0) => "translate must be a fraction in -1..1",
        Operation::Affine(affine) if !ordered(affine.scale, 0.01, 100.0) => "scale must be factors in 0.01..100",
        Operation::Affine(affine) if !ordered(affine.shear, -60.0, 60.0) => "shear must be degrees in -60..60",
        Operation::Flip(Flip { probability }) | Operation::Erase(Erase { probability, .. })
            if !(0.0..=1.0).contains(probability) =>
        {
            "probability must be in 0..1"
        }
        Operation::Elastic(elastic) if !(0.0..=1e6).contains(&elastic.alpha) => "alpha must be pixels from 0 on",
        Operation::Elastic(elastic) if !(0.1..=100.0).contains(&elastic.sigma) => "sigma must be pixels in 0.1..100",
        Operation::Erase(erase) if !ordered(erase.area, 0.0, 1.0) => "area must be fractions in 0..1",
        _ => return Ok(()),
    };
    Err(DataError::setting(operation.to_string(), format!("{rule}, the smaller first")))
}

/// As it is read.
impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Affine(affine) => {
                let still = Affine::default();
                let settings = [
                    ("rotate", affine.rotate, still.rotate),
                    ("translate", affine.translate, still.translate),
                    ("scale", affine.scale, still.scale),
                    ("shear", affine.shear, still.shear),
                ];
                let settings = settings.iter().filter(|(_, range, still)| range != still);
                let settings: Vec<String> =
                    settings.map(|(name, [from, to], _)| format!("{name}={from}..{to}")).collect();
                write!(formatter, "affine({})", settings.join(","))
            }
            Operation::Flip(flip) => write!(formatter, "flip(probability={})", flip.probability),
            Operation::Elastic(Elastic { alpha, sigma }) => write!(formatter, "elastic(alpha={alpha},sigma={sigma})"),
            Operation::Erase(Erase { probability, area: [from, to] }) => {
                write!(formatter, "erase(probability={probability},area={from}..{to})")
            }
        }
    }
}

/// As it is read; `none` if there are no operations.
impl fmt::Display for Augment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operations().is_empty() {
            return formatter.write_str("none");
        }
        let operations: Vec<String> = self.operations().iter().map(Operation::to_string).collect();
        formatter.write_str(&operations.join(","))
    }
}

impl TryFrom<String> for Augment {
    type Error = DataError;

    fn try_from(text: String) -> Result<Augment> {
        text.parse()
    }
}

impl From<Augment> for String {
    fn from(augment: Augment) -> String {
        augment.to_string()
    }
}
