//! Where plug-ins may lie: what the user named, and the folders of Python's packages.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The variables that say where to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `GYRUS_PJRT_PLUGIN`: plug-ins, separated as in `PATH`.
    pub plugins: Option<OsString>,
    /// `VIRTUAL_ENV`: the active virtual environment.
    pub virtual_env: Option<OsString>,
    /// `CONDA_PREFIX`: the active environment of Conda.
    pub conda_prefix: Option<OsString>,
    /// `PATH`: where the pythons are.
    pub path: Option<OsString>,
    /// The user's folder.
    pub home: Option<PathBuf>,
}

/// A folder of Python packages, and why it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub folder: PathBuf,
    pub reason: &'static str,
}

impl Environment {
    /// This process's.
    pub(super) fn of_process() -> Self {
        Self {
            plugins: env::var_os("GYRUS_PJRT_PLUGIN"),
            virtual_env: env::var_os("VIRTUAL_ENV"),
            conda_prefix: env::var_os("CONDA_PREFIX"),
            path: env::var_os("PATH"),
            home: env::home_dir(),
        }
    }

    /// The plug-ins that the user named.
    pub(super) fn named_plugins(&self) -> Vec<PathBuf> {
        let plugins = self.plugins.iter().flat_map(env::split_paths);
        plugins.filter(|path| !path.as_os_str().is_empty()).collect()
    }

    /// The folders of packages that are there, each once: those of the active environments, of the pythons on the
    /// path, of the user.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut prefixes: Vec<(PathBuf, &str)> = Vec::new();
        prefixes.extend(self.virtual_env.iter().map(|prefix| (PathBuf::from(prefix), "VIRTUAL_ENV")));
        prefixes.extend(self.conda_prefix.iter().map(|prefix| (PathBuf::from(prefix), "CONDA_PREFIX")));
        for folder in self.path.iter().flat_map(env::split_paths) {
            prefixes.extend(prefixes_of_pythons_in(&folder).into_iter().map(|prefix| (prefix, "PATH")));
        }
        prefixes.extend(self.home.iter().map(|home| (home.join(".local"), "the user's packages")));
        let mut places: Vec<Place> = Vec::new();
        // `/lib` is often a link to `/usr/lib`.
        let mut seen = HashSet::new();
        for (prefix, reason) in prefixes {
            for folder in package_folders(&prefix) {
                if seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
                    places.push(Place { folder, reason });
                }
            }
        }
        places
    }
}

/// The prefixes of the pythons in a folder of programs: above it, and above what they are links to.
fn prefixes_of_pythons_in(folder: &Path) -> Vec<PathBuf> {
    // On Windows, python.exe lies in the prefix itself.
    if folder.join("python.exe").is_file() {
        return vec![folder.to_owned()];
    }
    let pythons = ["python3", "python"].map(|name| folder.join(name));
    let Some(python) = pythons.iter().find(|python| python.is_file()) else { return Vec::new() };
    let above = |program: &Path| program.parent().and_then(Path::parent).map(Path::to_owned);
    let target = python.canonicalize().ok();
    above(python).into_iter().chain(target.and_then(|target| above(&target))).collect()
}

/// The folders of packages beneath a prefix, in the layouts of Linux, Debian and Windows.
fn package_folders(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib").join("site-packages")];
    // Debian's own python looks beneath `local` too.
    for lib in ["lib", "lib64", "local/lib"] {
        let lib = prefix.join(lib);
        let Ok(entries) = fs::read_dir(&lib) else { continue };
        let is_python = |name: &OsString| name.to_str().is_some_and(|name| name.starts_with("python3"));
        let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).filter(is_python).collect();
        // 3.13 before 3.9.
        names.sort_by(|a, b| (b.len(), b).cmp(&(a.len(), a)));
        for name in names {
            folders.extend(["site-packages", "dist-packages"].map(|kind| lib.join(&name).join(kind)));
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders
}
