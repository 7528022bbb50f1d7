//! What can go wrong between gyrus and an accelerator.

use std::fmt;
use std::path::PathBuf;

use crate::lowering::LoweringError;

/// What can go wrong with a plug-in, its devices and programs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PjrtError {
    /// The system could not load the shared library.
    #[error("cannot load the plug-in {}: {reason}; {remedy}", path.display())]
    Load {
        /// The plug-in.
        path: PathBuf,
        /// The system's reason.
        reason: String,
        /// What to do.
        remedy: String,
    },

    /// The library is none of PJRT's plug-ins.
    #[error(
        "{} is no PJRT plug-in: {reason}; name the library that comes with a plug-in (`pip download jax-cuda13-pjrt`, …)",
        path.display()
    )]
    NotAPlugin {
        /// The library.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The plug-in speaks another, incompatible version of the interface.
    #[error(
        "the plug-in {} speaks version {}.{} of the PJRT interface, gyrus speaks 0.x: install a plug-in of another version",
        path.display(), version.0, version.1
    )]
    Version {
        /// The plug-in.
        path: PathBuf,
        /// The major and minor version of its interface.
        version: (i32, i32),
    },

    /// The plug-in does not implement calls that gyrus cannot do without.
    #[error(
        "the plug-in {} (PJRT {}.{}) lacks {}: install a newer version of it",
        path.display(), version.0, version.1, missing.join(", ")
    )]
    Lacks {
        /// The plug-in.
        path: PathBuf,
        /// The major and minor version of its interface.
        version: (i32, i32),
        /// The calls that it lacks.
        missing: Vec<&'static str>,
    },

    /// A device was asked for by a name that is not known.
    #[error("there is no device `{spec}`: known are {}, or `pjrt:PATH` with the path of a plug-in", known.join(", "))]
    UnknownDevice {
        /// What was asked for.
        spec: String,
        /// The names that are known.
        known: Vec<&'static str>,
    },

    /// No plug-in of a vendor's is installed.
    #[error(
        "no plug-in for `{spec}` ({devices}) was found in {}: install it with `{install}`, or name its library with \
         GYRUS_PJRT_PLUGIN or `pjrt:PATH`",
        places(looked)
    )]
    NotFound {
        /// What was asked for.
        spec: String,
        /// The devices that it is for.
        devices: &'static str,
        /// The folders that were searched.
        looked: Vec<PathBuf>,
        /// The command that installs it.
        install: &'static str,
    },

    /// The plug-in refused or failed.
    #[error("{doing} failed in the plug-in {}: {code}: {}{}", path.display(), message.trim_end(), remedy(*code))]
    Plugin {
        /// The plug-in.
        path: PathBuf,
        /// What gyrus was doing.
        doing: &'static str,
        /// The kind of error.
        code: ErrorCode,
        /// The plug-in's own words.
        message: String,
    },

    /// Sizes, counts or devices that do not fit each other.
    #[error("{doing}: {problem}")]
    Misuse {
        /// What was asked for.
        doing: &'static str,
        /// What does not fit, and the rule.
        problem: String,
    },

    /// A graph has no program.
    #[error("lowering to StableHLO: {0}")]
    Lowering(#[from] LoweringError),

    /// A buffer was used after an execution took its memory for a result.
    #[error(
        "{doing}: {buffer} was donated to an earlier execution, which took its memory for a result: \
         use that result, or name the input among those to keep"
    )]
    Donated {
        /// What was asked for.
        doing: &'static str,
        /// Which buffer.
        buffer: String,
    },
}

fn places(looked: &[PathBuf]) -> String {
    if looked.is_empty() {
        return "the packages of any Python (there is none on the PATH)".to_owned();
    }
    looked.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl PjrtError {
    /// Whether the name or number that a user gave is at fault.
    pub fn is_usage(&self) -> bool {
        matches!(self, PjrtError::UnknownDevice { .. } | PjrtError::Misuse { .. })
    }
}

/// How the message of a panic begins if an accelerator failed.
pub const PANIC: &str = "accelerator: ";

/// What an accelerator gave.
///
/// # Panics
/// If it failed, with a message that begins with [`PANIC`].
#[track_caller]
pub fn or_panic<T>(result: Result<T, PjrtError>) -> T {
    result.unwrap_or_else(|error| panic!("{PANIC}{error}"))
}

/// The remedy for what a plug-in reports, where its kind of error has one.
fn remedy(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::RESOURCE_EXHAUSTED => {
            "; the device's memory is used up: take a smaller batch, or end what else uses it"
        }
        ErrorCode::UNIMPLEMENTED => "; this plug-in cannot do it: a newer version may",
        ErrorCode::UNAVAILABLE => "; is the device there, and is its driver loaded?",
        _ => "",
    }
}

/// The kind of a plug-in's error: a code of Abseil's `absl::StatusCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    /// The program or an argument is wrong.
    pub const INVALID_ARGUMENT: ErrorCode = ErrorCode(3);
    /// The device's memory, or something else, is used up.
    pub const RESOURCE_EXHAUSTED: ErrorCode = ErrorCode(8);
    /// The plug-in does not implement what was asked for.
    pub const UNIMPLEMENTED: ErrorCode = ErrorCode(12);
    /// An error within the plug-in.
    pub const INTERNAL: ErrorCode = ErrorCode(13);
    /// A device or service is not there.
    pub const UNAVAILABLE: ErrorCode = ErrorCode(14);
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 17] = [
            "ok",
            "cancelled",
            "unknown",
            "invalid argument",
            "deadline exceeded",
            "not found",
            "already exists",
            "permission denied",
            "resource exhausted",
            "failed precondition",
            "aborted",
            "out of range",
            "unimplemented",
            "internal",
            "unavailable",
            "data loss",
            "unauthenticated",
        ];
        match usize::try_from(self.0).ok().and_then(|code| NAMES.get(code)) {
            Some(name) => f.pad(name),
            None => write!(f, "error {}", self.0),
        }
    }
}
