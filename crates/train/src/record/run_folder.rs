use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use gyrus_checkpoint::{AtomicFolder, remove_leftovers};

use super::RecordError;

/// The folder of one run, `runs/<task>/<name>/`, and where its parts are. Never overwritten.
///
/// ```
/// # let temporary = tempfile::tempdir().unwrap();
/// # let runs = temporary.path();
/// use gyrus_train::record::RunFolder;
///
/// let run = RunFolder::create_numbered(runs, "image_classification", "digits")?;
/// assert_eq!(run.name(), "digits-1");
/// # Ok::<(), gyrus_train::record::RecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunFolder {
    path: PathBuf,
    task: String,
    name: String,
}

/// Which of a run's checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// The one of the best validation metric.
    Best,
    /// The newest, which a resumed run continues from.
    Last,
}

/// Held while a run is trained; released when it goes out of scope or the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock(#[expect(dead_code, reason = "holds the lock until it is dropped")] File);

/// What makes a folder a run.
const CONFIG: &str = "config.toml";

impl RunFolder {
    /// Creates the folder of a run of a given name.
    ///
    /// # Errors
    /// [`RecordError::Exists`] if there is one, [`RecordError::Name`] if a folder cannot be named so.
    pub fn create(root: impl AsRef<Path>, task: &str, name: &str) -> Result<Self, RecordError> {
        let run = Self::at(root.as_ref().join(checked(task)?), task, checked(name)?);
        let parent = root.as_ref().join(task);
        fs::create_dir_all(&parent).map_err(RecordError::write(&parent))?;
        match fs::create_dir(&run.path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(RecordError::Exists(run.path)),
            created => created.map(|()| run.clone()).map_err(RecordError::write(&run.path)),
        }
    }

    /// Creates the folder of a run named after its data with the next free number: `digits-1`, `digits-2`.
    ///
    /// # Errors
    /// [`RecordError::Name`] or [`RecordError::Write`].
    pub fn create_numbered(root: impl AsRef<Path>, task: &str, stem: &str) -> Result<Self, RecordError> {
        let stem = named_after(stem);
        let prefix = format!("{stem}-");
        let number = |run: &Path| run.file_name()?.to_str()?.strip_prefix(&prefix)?.parse::<u64>().ok();
        let highest = folders_in(&root.as_ref().join(checked(task)?)).iter().filter_map(|run| number(run)).max();
        let mut next = highest.unwrap_or(0) + 1;
        loop {
            // Another process may take the number first: creating a folder is the one test that cannot be raced.
            match Self::create(root.as_ref(), task, &format!("{prefix}{next}")) {
                Err(RecordError::Exists(_)) => next += 1,
                created => return created,
            }
        }
    }

    /// Opens a run by its path, by its name (`digits-1`) or by task and name (`image_classification/digits-1`).
    ///
    /// # Errors
    /// [`RecordError::NotFound`] with similar names, [`RecordError::Ambiguous`] if two tasks have a run of the name.
    pub fn open(root: impl AsRef<Path>, path_or_name: &str) -> Result<Self, RecordError> {
        let root = root.as_ref();
        if let Some(run) = Self::recognise(Path::new(path_or_name)) {
            return Ok(run);
        }
        let (mut named, others): (Vec<_>, Vec<_>) = Self::list(root)
            .into_iter()
            .partition(|run| [&run.name, &run.full_name()].contains(&&path_or_name.to_owned()));
        match named.len() {
            1 => Ok(named.remove(0)),
            0 => Err(RecordError::NotFound {
                name: path_or_name.to_owned(),
                root: root.to_owned(),
                similar: similar_to(path_or_name, others),
            }),
            _ => Err(RecordError::Ambiguous {
                name: path_or_name.to_owned(),
                candidates: named.into_iter().map(|run| run.path).collect(),
            }),
        }
    }

    /// All runs, by task and name, `digits-2` before `digits-10`. None where there is no such folder.
    pub fn list(root: impl AsRef<Path>) -> Vec<Self> {
        let tasks = folders_in(root.as_ref());
        let mut runs: Vec<_> =
            tasks.iter().flat_map(|task| folders_in(task)).filter_map(|path| Self::recognise(&path)).collect();
        runs.sort_by_cached_key(|run| {
            let digits = run.name.len() - run.name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let (stem, number) = run.name.split_at(run.name.len() - digits);
            (run.task.clone(), stem.to_owned(), number.parse::<u64>().unwrap_or(0), run.name.clone())
        });
        runs
    }

    /// Removes a run with all its files.
    ///
    /// # Errors
    /// [`RecordError::Locked`] while it is trained, [`RecordError::Write`].
    pub fn remove(self) -> Result<(), RecordError> {
        let lock = self.lock()?;
        fs::remove_dir_all(&self.path).map_err(RecordError::write(&self.path))?;
        drop(lock);
        Ok(())
    }

    /// Claims the run for training by this process, and clears up after one that was killed.
    ///
    /// # Errors
    /// [`RecordError::Locked`] if another process has claimed it.
    pub fn lock(&self) -> Result<RunLock, RecordError> {
        let path = self.path.join(".lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(RecordError::write(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RecordError::Locked(self.path.clone())),
            Err(TryLockError::Error(error)) => return Err(RecordError::write(&path)(error)),
        }
        for folder in [self.path.clone(), self.plots()].iter().filter(|folder| folder.is_dir()) {
            remove_leftovers(folder)?;
        }
        for which in [Checkpoint::Best, Checkpoint::Last] {
            self.checkpoint(which).recover()?;
        }
        Ok(RunLock(file))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The task's name, `image_classification`.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The run's name, `digits-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Task and name, `image_classification/digits-1`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.task, self.name)
    }

    /// The configuration in full, defaults included.
    pub fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The machine and program of the run.
    pub fn environment(&self) -> PathBuf {
        self.path.join("env.json")
    }

    /// Hashes and splits of the data.
    pub fn data_lock(&self) -> PathBuf {
        self.path.join("data.lock")
    }

    /// The measurements.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// Durations, apart from the measurements because they differ between equal runs.
    pub fn timing(&self) -> PathBuf {
        self.path.join("timing.jsonl")
    }

    /// The folder of pictures.
    pub fn plots(&self) -> PathBuf {
        self.path.join("plots")
    }

    /// The report for people.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The model card.
    pub fn model_card(&self) -> PathBuf {
        self.path.join("README.md")
    }

    /// A checkpoint: `model.safetensors`, `config.json`, and for the last `state.safetensors`.
    pub fn checkpoint(&self, which: Checkpoint) -> AtomicFolder {
        let name = match which {
            Checkpoint::Best => "best",
            Checkpoint::Last => "last",
        };
        AtomicFolder::new(self.path.join("checkpoints").join(name))
    }

    fn at(parent: PathBuf, task: &str, name: &str) -> Self {
        Self { path: parent.join(name), task: task.to_owned(), name: name.to_owned() }
    }

    fn recognise(path: &Path) -> Option<Self> {
        if !path.join(CONFIG).is_file() {
            return None;
        }
        let absolute = fs::canonicalize(path).ok()?;
        let name = absolute.file_name()?.to_string_lossy().into_owned();
        let task = absolute.parent()?.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Some(Self { path: path.to_owned(), task, name })
    }
}

fn checked(name: &str) -> Result<&str, RecordError> {
    let allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(RecordError::Name(name.to_owned()));
    }
    Ok(name)
}

/// A name from that of data, whatever it is: other characters become `-`.
fn named_after(stem: &str) -> String {
    let replaced: String =
        stem.chars().map(|c| if checked(&c.to_string()).is_ok() || c == '.' { c } else { '-' }).collect();
    match replaced.trim_matches(['.', '-']) {
        "" => "run".to_owned(),
        name => name.to_owned(),
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The names most like one that was asked for, at most three.
fn similar_to(name: &str, runs: Vec<RunFolder>) -> Vec<String> {
    let likeness =
        |run: &RunFolder| strsim::jaro_winkler(name, &run.name).max(strsim::jaro_winkler(name, &run.full_name()));
    let mut alike: Vec<_> =
        runs.into_iter().map(|run| (likeness(&run), run.full_name())).filter(|(likeness, _)| *likeness > 0.7).collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
#[path = "run_folder_tests.rs"]
mod tests;
