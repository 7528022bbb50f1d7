//! A folder of several files that changes as one.
//!
//! POSIX renames a folder over another only if that is empty, so replacing takes two renames, and a kill can come
//! between them. Four names next to each other say at any moment what is whole:
//!
//! | name           | content                                                        |
//! | -------------- | -------------------------------------------------------------- |
//! | `last.writing` | being filled; never read                                       |
//! | `last.ready`   | whole and newer than `last`: renamed from `last.writing` once everything in it is on the disk |
//! | `last`         | whole                                                          |
//! | `last.old`     | whole and older than `last`, about to be removed               |
//!
//! The rename to `last.ready` is the one step that makes the new content count. Readers take the first of `ready`,
//! plain and `old` that exists. A reader opens every file first and then looks whether the folder is still the one
//! it chose; if a writer was quicker, it starts again. So it never mixes files of two checkpoints either.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::CheckpointError;
use crate::atomic_write::{WRITING, folder_of, sync_folder, write_and_sync};

/// A folder whose files are replaced all together or not at all, and read all from one moment.
///
/// One process may write at a time; any number may read meanwhile.
///
/// ```
/// # let run = tempfile::tempdir().unwrap();
/// use gyrus_checkpoint::AtomicFolder;
///
/// let last = AtomicFolder::new(run.path().join("last"));
/// last.replace(|folder| {
///     folder.write("config.json", |file| file.write_all(b"{}"))?;
///     folder.write("model.safetensors", |file| file.write_all(b"..."))
/// })?;
/// let files = last.read(&["config.json", "model.safetensors"])?;
/// assert_eq!(files["config.json"], b"{}");
/// # Ok::<(), gyrus_checkpoint::CheckpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtomicFolder {
    path: PathBuf,
}

/// Takes the files of the new content of an [`AtomicFolder`].
#[derive(Debug)]
pub struct FolderWriter<'a> {
    shown_as: &'a Path,
    staging: &'a Path,
}

impl FolderWriter<'_> {
    /// Writes one file and waits until it is on the disk.
    ///
    /// # Errors
    /// [`CheckpointError::Write`] with the path the file would have had.
    pub fn write(
        &mut self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CheckpointError> {
        write_and_sync(&self.staging.join(name), content).map_err(CheckpointError::write(&self.shown_as.join(name)))
    }
}

impl AtomicFolder {
    /// The folder at a path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is. Open files in it through [`read`](Self::read), not by joining names to this.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is something to read.
    pub fn exists(&self) -> bool {
        self.whole().is_some()
    }

    /// Replaces the whole content by the files that `fill` writes. Folders above are created.
    ///
    /// # Errors
    /// Those of `fill` and [`CheckpointError::Write`]. Whatever the error, and at whatever moment the process is
    /// killed, [`read`](Self::read) returns the old content or the new one, each complete.
    pub fn replace(
        &self,
        fill: impl FnOnce(&mut FolderWriter<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        self.replace_observed(fill, &mut || Ok(()))
    }

    /// `replace` that calls `observe` after every change to the disk, so that a test can look at each state.
    fn replace_observed(
        &self,
        fill: impl FnOnce(&mut FolderWriter<'_>) -> Result<(), CheckpointError>,
        observe: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<(), CheckpointError> {
        let failed = |error| CheckpointError::write(&self.path)(error);
        fs::create_dir_all(folder_of(&self.path)).map_err(failed)?;
        self.settle(observe).map_err(failed)?;
        let staging = self.sibling(WRITING);
        let filled = fs::create_dir(&staging)
            .and_then(|()| observe())
            .map_err(failed)
            .and_then(|()| fill(&mut FolderWriter { shown_as: &self.path, staging: &staging }))
            .and_then(|()| {
                observe().and_then(|()| sync_folder(&staging)).map_err(failed)?;
                fs::rename(&staging, self.sibling(".ready")).map_err(failed)
            });
        if filled.is_err() {
            // Best effort: the write's own error is the one to report, and the next replacement clears it too.
            let _ = fs::remove_dir_all(&staging);
            return filled;
        }
        // From here on the new content counts. Failing to tidy up is an error all the same: the disk is unwell.
        observe().and_then(|()| sync_folder(folder_of(&self.path))).map_err(failed)?;
        self.settle(observe).map_err(failed)
    }

    /// Finishes what a killed writer began: puts whole new content in its place and removes the rest.
    ///
    /// Reading does not need it. Call it only where no one else writes.
    ///
    /// # Errors
    /// [`CheckpointError::Write`] if the folder cannot be changed; what can be read stays the same.
    pub fn recover(&self) -> Result<(), CheckpointError> {
        if folder_of(&self.path).is_dir() {
            self.settle(&mut || Ok(())).map_err(CheckpointError::write(&self.path))?;
        }
        Ok(())
    }

    fn settle(&self, observe: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        let (ready, old, staging) = (self.sibling(".ready"), self.sibling(".old"), self.sibling(WRITING));
        if staging.exists() {
            fs::remove_dir_all(&staging)?;
            observe()?;
        }
        if ready.exists() {
            if self.path.exists() {
                remove_whole(&old, observe)?;
                fs::rename(&self.path, &old)?;
                observe()?;
            }
            fs::rename(&ready, &self.path)?;
            observe()?;
            sync_folder(folder_of(&self.path))?;
        } else if !self.path.exists() && old.exists() {
            fs::rename(&old, &self.path)?;
            observe()?;
        }
        remove_whole(&old, observe)
    }

    /// Reads the named files, all from the same replacement.
    ///
    /// # Errors
    /// [`CheckpointError::Read`] if the folder or a file is missing or cannot be read.
    pub fn read(&self, names: &[&str]) -> Result<BTreeMap<String, Vec<u8>>, CheckpointError> {
        self.read_observed(names, &mut || ())
    }

    fn read_observed(
        &self,
        names: &[&str],
        between: &mut dyn FnMut(),
    ) -> Result<BTreeMap<String, Vec<u8>>, CheckpointError> {
        loop {
            // A writer can move a folder from one name to the next while they are looked through: look twice.
            let chosen = self.whole().or_else(|| self.whole());
            let Some(folder) = chosen.as_ref() else {
                return Err(CheckpointError::read(&self.path)(io::ErrorKind::NotFound.into()));
            };
            let opened = open_all(&folder.path, names, between);
            if self.whole() != chosen {
                continue;
            }
            let read_one = |(name, mut file): (&str, File)| {
                let mut bytes = Vec::new();
                let path = self.path.join(name);
                file.read_to_end(&mut bytes).map_err(CheckpointError::read(&path))?;
                Ok((name.to_owned(), bytes))
            };
            let opened = opened.map_err(|(name, error)| CheckpointError::read(&self.path.join(name))(error))?;
            return opened.into_iter().map(read_one).collect();
        }
    }

    /// The newest whole folder, and which one it is: a folder that takes its name later is another.
    fn whole(&self) -> Option<Identified> {
        [self.sibling(".ready"), self.path.clone(), self.sibling(".old")].into_iter().find_map(identify)
    }

    fn sibling(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        self.path.with_file_name(name)
    }
}

fn open_all<'a>(
    folder: &Path,
    names: &[&'a str],
    between: &mut dyn FnMut(),
) -> Result<Vec<(&'a str, File)>, (&'a str, io::Error)> {
    let mut files = Vec::new();
    for &name in names {
        files.push((name, File::open(folder.join(name)).map_err(|error| (name, error))?));
        between();
    }
    Ok(files)
}

/// Renamed before it is emptied, so that a name that counts never holds a folder with files already gone.
fn remove_whole(folder: &Path, observe: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let doomed = folder.with_extension(&WRITING[1..]);
    fs::rename(folder, &doomed)?;
    observe()?;
    fs::remove_dir_all(&doomed)?;
    observe()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Identified {
    path: PathBuf,
    identity: (u64, u64),
}

#[cfg(unix)]
fn identify(path: PathBuf) -> Option<Identified> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_dir)?;
    Some(Identified { path, identity: (metadata.ino(), metadata.mtime_nsec() as u64) })
}

#[cfg(not(unix))]
fn identify(path: PathBuf) -> Option<Identified> {
    let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_dir)?;
    let created = metadata.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Identified { path, identity: (created.as_secs(), u64::from(created.subsec_nanos())) })
}

#[cfg(test)]
#[path = "atomic_folder_tests.rs"]
mod tests;
