use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with files that must last. Every variant names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file or folder could not be written; what stood there before is intact.
    #[error("cannot write {}: {source}; {}{}", path.display(), remedy_for_writing(source), what_is_left(path))]
    Write {
        /// The file or folder that was to be written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// A file or folder could not be read.
    #[error("cannot read {}: {source}; {}", path.display(), remedy_for_reading(source))]
    Read {
        /// The file or folder that was to be read.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// The file is not a safetensors file.
    #[error("{}: not a safetensors file: {reason}; is it the right file, and was it copied as binary?", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with its header.
        reason: String,
    },

    /// The file's length is not what its header promises.
    #[error(
        "{}: {} bytes where its header promises {expected}: {}; fetch or copy it again, or use another checkpoint",
        path.display(), actual, if actual < expected { "the file is cut short" } else { "there is more than the tensors" }
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes that the header promises.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },

    /// A PyTorch file is damaged, or holds more than tensors.
    #[error(
        "{}: no tensors can be taken from this PyTorch file: {reason}; save the state dict alone, \
         `torch.save(model.state_dict(), path)`, or as safetensors", path.display()
    )]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The tensors in the file are not those expected.
    #[error("{}: its tensors do not fit the model: {mismatch}; is it the checkpoint of another model?", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Every difference.
        mismatch: Mismatch,
    },
}

impl CheckpointError {
    /// What writing a file or making a folder failed by.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| CheckpointError::Write { path: path.to_owned(), source }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| CheckpointError::Read { path: path.to_owned(), source }
    }
}

/// How the tensors of a file differ from those expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Names expected and not there.
    pub missing: Vec<String>,
    /// Names there and not expected.
    pub unexpected: Vec<String>,
    /// Names on both sides whose shape or element type differ: what the file has, what was expected.
    pub misshapen: Vec<(String, String, String)>,
}

impl Mismatch {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

/// At most so many names of a kind are printed: a wrong checkpoint differs in hundreds.
const NAMES_SHOWN: usize = 5;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let misshapen = self.misshapen.iter().map(|(name, found, wanted)| format!("`{name}` is {found}, not {wanted}"));
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let kinds = [
            ("missing", quoted(&self.missing)),
            ("unexpected", quoted(&self.unexpected)),
            ("misshapen", misshapen.collect()),
        ];
        let mut separator = "";
        for (kind, names) in kinds.iter().filter(|(_, names)| !names.is_empty()) {
            let shown = names[..names.len().min(NAMES_SHOWN)].join(", ");
            write!(f, "{separator}{} {kind} ({shown}", names.len())?;
            if names.len() > NAMES_SHOWN {
                write!(f, " and {} more", names.len() - NAMES_SHOWN)?;
            }
            write!(f, ")")?;
            separator = ", ";
        }
        Ok(())
    }
}

fn remedy_for_writing(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "free some space or choose a folder on another disk",
        io::ErrorKind::QuotaExceeded => "your disk quota is used up: free some space or choose another folder",
        io::ErrorKind::FileTooLarge => "raise the file size limit (`ulimit -f`) or choose another file system",
        io::ErrorKind::PermissionDenied => "choose a folder you may write to or change its permissions",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: choose another folder",
        io::ErrorKind::NotFound => "create the folder first",
        _ => "choose another folder or look into the cause",
    }
}

fn what_is_left(path: &Path) -> &'static str {
    if path.exists() { " (what was there before is intact)" } else { "" }
}

fn remedy_for_reading(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "change its permissions",
        _ => "look into the cause",
    }
}
