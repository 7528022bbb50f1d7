use std::io;
use std::path::{Path, PathBuf};

use gyrus_checkpoint::CheckpointError;

/// What can go wrong with the record of a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A run of that name exists, and runs are never overwritten.
    #[error(
        "{} exists already and runs are never overwritten; choose another `--name`, leave it out to number runs, \
         or continue that run with `gyrus resume`", .0.display()
    )]
    Exists(PathBuf),

    /// A name that cannot be that of a folder.
    #[error("`{0}` cannot be the name of a run: use letters, digits, `-`, `_` and `.`, and begin with no `.`")]
    Name(String),

    /// No run of that name or at that path.
    #[error("no run `{name}` in {}{}", root.display(), suggest(similar))]
    NotFound {
        /// What was asked for.
        name: String,
        /// The folder of all runs.
        root: PathBuf,
        /// Names of runs that are alike, the likest first.
        similar: Vec<String>,
    },

    /// Several runs have the name.
    #[error("several runs are named `{name}`: {}; give the path of one", list(candidates))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The runs of that name.
        candidates: Vec<PathBuf>,
    },

    /// Another process trains the run.
    #[error("{} is being trained by another process; wait for it or stop it first", .0.display())]
    Locked(PathBuf),

    /// A file of the run cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// A file of the run cannot be written.
    #[error("cannot write {}: {source}; check the space on the disk and the folder's permissions", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// A file of the run is not what it should be.
    #[error("{}, line {line}: {reason}; was it edited by hand?", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },

    /// A file that must last could not be written or read.
    #[error(transparent)]
    Lasting(#[from] CheckpointError),
}

impl RecordError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| RecordError::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| RecordError::Write { path: path.to_owned(), source }
    }
}

fn suggest(similar: &[String]) -> String {
    match similar {
        [] => "; `gyrus runs ls` lists all".to_owned(),
        names => format!("; did you mean {}?", list(names)),
    }
}

fn list<T: AsRef<Path>>(items: &[T]) -> String {
    items.iter().map(|item| format!("`{}`", item.as_ref().display())).collect::<Vec<_>>().join(", ")
}
