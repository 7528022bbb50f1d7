use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RecordError;

/// One line of a log: where in training, on which data, and the values measured there.
///
/// It holds no time of day and no duration, so that the log of a run that was killed and resumed equals that of one
/// that was not. Durations go to a log of their own (`timing.jsonl`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsLine {
    /// Optimizer steps done, from the start of the run.
    pub step: u64,
    /// Epochs done, whole.
    pub epoch: u64,
    /// What was measured on: `train`, `validation`, `test`.
    pub split: String,
    #[serde(flatten)]
    values: Map<String, Value>,
}

impl MetricsLine {
    /// A line of named values, which keep their order.
    pub fn new<'a>(step: u64, epoch: u64, split: &str, values: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        // JSON has no NaN and no infinity: both become null, and are read as NaN.
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        Self { step, epoch, split: split.to_owned(), values }
    }

    /// The named values in the order they were given. What was not finite is NaN.
    pub fn values(&self) -> impl Iterator<Item = (&str, f64)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_f64().unwrap_or(f64::NAN)))
    }

    /// The value of a name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.values().find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// A file of JSON lines, one per measurement, that only grows: `metrics.jsonl`.
///
/// A line is written in one piece and handed to the system at once. If the disk is full the file is cut back to
/// its last whole line; if the process is killed inside a line, [`read`](Self::read) ignores that line and
/// [`resume`](Self::resume) removes it.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
    length: u64,
}

impl MetricsLog {
    /// Begins a log.
    ///
    /// # Errors
    /// [`RecordError::Write`], also if the file exists.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, RecordError> {
        let path = path.into();
        let file = File::create_new(&path).map_err(RecordError::write(&path))?;
        Ok(Self { path, file, length: 0 })
    }

    /// Continues a log from the checkpoint of a step: all that was logged after it is removed.
    ///
    /// A log that is missing begins anew.
    ///
    /// # Errors
    /// [`RecordError::Read`], [`RecordError::Malformed`] or [`RecordError::Write`].
    pub fn resume(path: impl Into<PathBuf>, step: u64) -> Result<Self, RecordError> {
        let path = path.into();
        if !path.exists() {
            return Self::create(path);
        }
        let later = |(_, line): &(u64, MetricsLine)| line.step > step;
        let (lines, whole) = parse(&path)?;
        let length = lines.iter().find(|line| later(line)).map_or(whole, |(start, _)| *start);
        let open = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
            Ok(file)
        };
        let file = open().map_err(RecordError::write(&path))?;
        Ok(Self { path, file, length })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`RecordError::Write`]; the file then ends with the line before.
    pub fn append(&mut self, line: &MetricsLine) -> Result<(), RecordError> {
        let mut text =
            serde_json::to_vec(line).map_err(std::io::Error::from).map_err(RecordError::write(&self.path))?;
        text.push(b'\n');
        if let Err(error) = self.file.write_all(&text) {
            // Best effort: on a disk this unwell, the error itself is what matters.
            let _ = self.file.set_len(self.length).and_then(|()| self.file.seek(SeekFrom::Start(self.length)));
            return Err(RecordError::write(&self.path)(error));
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Reads all whole lines.
    ///
    /// # Errors
    /// [`RecordError::Read`], or [`RecordError::Malformed`] for a line that is whole and not a line of a log.
    pub fn read(path: impl AsRef<Path>) -> Result<Vec<MetricsLine>, RecordError> {
        Ok(parse(path.as_ref())?.0.into_iter().map(|(_, line)| line).collect())
    }
}

/// Lines with the byte each starts at, and the length of all whole lines. A last line without its line feed was
/// being written when the process died.
fn parse(path: &Path) -> Result<(Vec<(u64, MetricsLine)>, u64), RecordError> {
    let bytes = std::fs::read(path).map_err(RecordError::read(path))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut lines = Vec::new();
    let mut start = 0;
    for (number, text) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        let malformed = |error: serde_json::Error| RecordError::Malformed {
            path: path.to_owned(),
            line: number + 1,
            reason: error.to_string(),
        };
        lines.push((start, serde_json::from_slice(text).map_err(malformed)?));
        start += text.len() as u64;
    }
    Ok((lines, whole as u64))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(step: u64) -> MetricsLine {
        MetricsLine::new(step, step / 10, "train", [("loss", 1.0 / step as f64), ("accuracy", 0.5)])
    }

    fn log_of(steps: &[u64]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::create(&path).unwrap();
        steps.iter().for_each(|&step| log.append(&line(step)).unwrap());
        (folder, path)
    }

    #[test]
    fn lines_are_plain_json_in_the_order_given() {
        let (_folder, path) = log_of(&[10]);
        let expected = r#"{"step":10,"epoch":1,"split":"train","loss":0.1,"accuracy":0.5}"#;
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{expected}\n"));
        assert_eq!(MetricsLog::read(&path).unwrap(), [line(10)]);
    }

    #[test]
    fn a_resumed_log_equals_one_that_was_never_interrupted() {
        let (_folder, whole) = log_of(&[10, 20, 30, 40]);
        let whole = fs::read(whole).unwrap();
        // The checkpoint is of step 20; the process died in every byte of what it logged afterwards.
        let (_folder, kept) = log_of(&[10, 20]);
        for length in fs::read(&kept).unwrap().len()..=whole.len() {
            let (_folder, path) = log_of(&[]);
            fs::write(&path, &whole[..length]).unwrap();
            assert!(MetricsLog::read(&path).unwrap().len() >= 2);
            let mut log = MetricsLog::resume(&path, 20).unwrap();
            log.append(&line(30)).unwrap();
            log.append(&line(40)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole, "died after {length} bytes");
        }
    }

    #[test]
    fn a_missing_log_begins_anew_but_an_old_one_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        MetricsLog::resume(&path, 5).unwrap().append(&line(6)).unwrap();
        assert!(MetricsLog::create(&path).is_err());
        assert_eq!(MetricsLog::read(&path).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_finite_is_null() {
        let (_folder, path) = log_of(&[]);
        let mut log = MetricsLog::resume(&path, 0).unwrap();
        log.append(&MetricsLine::new(1, 0, "train", [("loss", f64::NAN), ("rate", f64::INFINITY)])).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains(r#""loss":null,"rate":null"#));
        assert!(MetricsLog::read(&path).unwrap()[0].value("loss").unwrap().is_nan());
    }

    #[test]
    fn a_broken_line_is_named() {
        let (_folder, path) = log_of(&[10]);
        fs::write(&path, "{\"step\":1,\"epoch\":0,\"split\":\"train\"}\n{\"step\":\n").unwrap();
        let error = MetricsLog::read(&path).unwrap_err().to_string();
        assert!(error.contains("metrics.jsonl, line 2"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut log = MetricsLog { path: "/dev/full".into(), file, length: 0 };
        assert!(log.append(&line(1)).unwrap_err().to_string().contains("/dev/full"));
    }

    proptest::proptest! {
        #[test]
        fn finite_values_come_back_to_the_bit(bits in proptest::prelude::any::<u64>()) {
            let value = f64::from_bits(bits);
            proptest::prop_assume!(value.is_finite());
            let text = serde_json::to_string(&MetricsLine::new(0, 0, "test", [("v", value)])).unwrap();
            let back: MetricsLine = serde_json::from_str(&text).unwrap();
            proptest::prop_assert_eq!(back.value("v").unwrap().to_bits(), bits);
        }
    }
}
