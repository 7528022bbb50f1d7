//! Configurations: defaults, overlaid by a file, by flags and by `--set key=value`, in this order.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::TaskError;

/// Where settings come from, for messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A configuration file.
    File(PathBuf),
    /// The command line.
    CommandLine,
}

/// Some settings, and where they come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    origin: Origin,
    table: Table,
    /// The text of a file, to find lines in.
    text: String,
}

/// A complete configuration: every key of the task has a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    table: Table,
}

impl Layer {
    /// The settings of a TOML file. The path under the key `data` is relative to the file's folder.
    ///
    /// # Errors
    /// [`TaskError::Config`] with the line.
    pub fn from_file(path: &Path) -> Result<Layer, TaskError> {
        let mistake = |line, reason: String| TaskError::Config { path: path.to_owned(), line, reason };
        let text = fs::read_to_string(path)
            .map_err(|error| mistake(None, format!("cannot be read: {error}; check the spelling of the path")))?;
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            mistake(line, format!("is not TOML: {}", error.message()))
        })?;
        if let Some(Value::String(data)) = table.get_mut("data") {
            let relative = path.parent().unwrap_or(Path::new("")).join(&*data);
            if relative.exists() {
                *data = relative.display().to_string();
            }
        }
        Ok(Layer { origin: Origin::File(path.to_owned()), table, text })
    }

    /// Settings from the command line.
    pub fn from_flags(table: Table) -> Layer {
        Layer { origin: Origin::CommandLine, table, text: String::new() }
    }

    /// The settings of `--set key=value` arguments: values as in TOML; what is none is a string.
    ///
    /// # Errors
    /// [`TaskError::Usage`] for one without `=`.
    pub fn from_settings(settings: &[String]) -> Result<Layer, TaskError> {
        let mut table = Table::new();
        for setting in settings {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(TaskError::Usage(format!("--set {setting}: write key=value")));
            };
            table.insert(key.trim().to_owned(), parse_value(value.trim()));
        }
        Ok(Layer::from_flags(table))
    }

    /// The value of a key, if it is set here.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.table.get(key)
    }

    fn mistake(&self, key: &str, reason: String) -> TaskError {
        match &self.origin {
            Origin::CommandLine => TaskError::Usage(reason),
            Origin::File(path) => {
                let is_line = |line: &str| line.trim_start().trim_start_matches(['"', '[']).starts_with(key);
                let line = self.text.lines().position(is_line).map(|line| line + 1);
                TaskError::Config { path: path.clone(), line, reason }
            }
        }
    }
}

fn parse_value(text: &str) -> Value {
    let parsed: Option<Table> = format!("value = {text}").parse().ok();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

impl Config {
    /// The defaults under layers of settings, later ones above.
    ///
    /// # Errors
    /// [`TaskError::Usage`] or [`TaskError::Config`] for a key that there is not, with the nearest one, and for
    /// a value of another type.
    pub fn resolve(defaults: Table, layers: &[Layer]) -> Result<Config, TaskError> {
        let mut table = defaults.clone();
        for layer in layers {
            // Which task it is for has been decided by whoever asks.
            for (key, value) in layer.table.iter().filter(|(key, _)| *key != "task") {
                let Some(default) = defaults.get(key) else {
                    return Err(layer.mistake(key, unknown(key, &defaults)));
                };
                let value = match (default, value) {
                    (Value::Float(_), Value::Integer(number)) => Value::Float(*number as f64),
                    (Value::String(_), Value::Integer(number)) => Value::String(number.to_string()),
                    (default, value) if default.same_type(value) => value.clone(),
                    (default, value) => {
                        let (expected, found) = (default.type_str(), value.type_str());
                        let reason = format!("`{key}` is of type {expected}, not {found}; its default is {default}");
                        return Err(layer.mistake(key, reason));
                    }
                };
                table.insert(key.clone(), value);
            }
        }
        Ok(Config { table })
    }

    /// With another text under a key.
    #[must_use]
    pub fn with_text(mut self, key: &str, text: &str) -> Config {
        self.table.insert(key.to_owned(), Value::String(text.to_owned()));
        self
    }

    /// The complete configuration of a run, as it was saved.
    ///
    /// # Errors
    /// As [`Layer::from_file`] and [`Config::resolve`].
    pub fn of_run(path: &Path, defaults: Table) -> Result<Config, TaskError> {
        Config::resolve(defaults, &[Layer::from_file(path)?])
    }

    /// The settings as a task's own type.
    ///
    /// # Errors
    /// [`TaskError::Usage`] if a value cannot be.
    pub fn to<T: serde::de::DeserializeOwned>(&self) -> Result<T, TaskError> {
        Value::Table(self.table.clone()).try_into().map_err(|error| TaskError::Usage(error.message().to_owned()))
    }

    /// As TOML, with the task's name.
    pub fn to_toml(&self, task: &str) -> String {
        format!("task = \"{task}\"\n{}", self.table)
    }

    /// As JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.table).expect("TOML without dates is JSON")
    }
}

fn unknown(key: &str, defaults: &Table) -> String {
    let distance = |known: &&String| strsim::damerau_levenshtein(key, known);
    let nearest = defaults.keys().min_by_key(distance).filter(|known| distance(known) <= 1 + key.len() / 3);
    match nearest {
        Some(nearest) => format!("there is no setting `{key}`; did you mean `{nearest}`?"),
        None => {
            let all: Vec<&str> = defaults.keys().map(String::as_str).collect();
            format!("there is no setting `{key}`; the settings are {}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Table {
        "epochs = 10\nlr = 0.1\ndata = \"\"".parse().unwrap()
    }

    #[test]
    fn later_layers_win_and_integers_become_reals() {
        let settings = |text: &str| Layer::from_settings(&[text.to_owned()]).unwrap();
        let config = Config::resolve(defaults(), &[settings("epochs=3"), settings("epochs=4"), settings("lr=1")]);
        let table = config.unwrap().table;
        assert_eq!((table["epochs"].as_integer(), table["lr"].as_float()), (Some(4), Some(1.0)));
    }

    #[test]
    fn an_unknown_key_of_a_file_is_named_with_its_line_and_the_nearest_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digits.toml");
        fs::write(&path, "lr = 0.5\n\nepoch = 3\n").unwrap();
        let layer = Layer::from_file(&path).unwrap();
        let message = Config::resolve(defaults(), &[layer]).unwrap_err().to_string();
        assert!(message.contains("line 3") && message.contains("did you mean `epochs`"), "{message}");
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let layer = Layer::from_settings(&["epochs=many".to_owned()]).unwrap();
        let message = Config::resolve(defaults(), &[layer]).unwrap_err().to_string();
        assert!(message.contains("`epochs` is of type integer, not string"), "{message}");
    }

    #[test]
    fn data_in_a_file_is_relative_to_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        let path = folder.path().join("run.toml");
        fs::write(&path, "data = \"photos\"").unwrap();
        let layer = Layer::from_file(&path).unwrap();
        assert_eq!(layer.get("data").unwrap().as_str(), folder.path().join("photos").to_str());
    }

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        fs::write(&path, "lr = 0.5\nepochs = = 3\n").unwrap();
        let error = Layer::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("line 2") && error.exit_code() == 2, "{error}");
    }
}
