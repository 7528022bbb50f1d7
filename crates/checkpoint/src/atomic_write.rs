use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::CheckpointError;

/// The end of the names of files and folders that are being written.
pub(crate) const WRITING: &str = ".writing";

/// Writes a file so that, whatever happens, its path holds either the old content or the whole new one.
///
/// The content goes to a temporary file in the same folder, reaches the disk (`fsync`), takes the place of the old
/// file in one step (`rename`), and the folder's entry reaches the disk too. On an error (disk full, folder not
/// writable, an error of `content` itself) the temporary is removed and the old file is untouched. A kill can
/// leave the temporary behind: [`remove_leftovers`].
///
/// A symbolic link is followed: the file it leads to is replaced, the link stays.
///
/// # Errors
/// [`CheckpointError::Write`] with path, cause and remedy.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("report.html");
/// gyrus_checkpoint::write_atomically(&path, |file| writeln!(file, "<h1>digits-1</h1>"))?;
/// # Ok::<(), gyrus_checkpoint::CheckpointError>(())
/// ```
pub fn write_atomically(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    replace(path, content).map_err(CheckpointError::write(path))
}

fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let target = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
    let name = target.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let folder = folder_of(&target);
    let temporary = Temporary::beside(folder, name);
    write_and_sync(&temporary.path, content)?;
    fs::rename(&temporary.path, &target)?;
    sync_folder(folder)
}

/// A path that is removed when it goes out of scope; after the rename there is nothing left to remove.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// Unique among processes and threads, so that two writers of one path never share a temporary.
    fn beside(folder: &Path, name: &OsStr) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut unique = OsString::from(".");
        unique.push(name);
        unique.push(format!(".{}-{}{WRITING}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        Self { path: folder.join(unique) }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Best effort: the write's own error is the one to report.
        let _ = fs::remove_file(&self.path);
    }
}

/// Creates a file, fills it and waits until it is on the disk.
pub(crate) fn write_and_sync(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(1 << 20, File::create(path)?);
    content(&mut buffered)?;
    buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Waits until a folder's entries (names created, renamed, removed) are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file, and orders its metadata itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder a path lies in; `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what writers killed half-way left in a folder. Only for a folder that no one else writes to now.
///
/// # Errors
/// [`CheckpointError::Read`] if the folder cannot be listed, [`CheckpointError::Write`] if a leftover cannot be
/// removed.
pub fn remove_leftovers(folder: impl AsRef<Path>) -> Result<(), CheckpointError> {
    let folder = folder.as_ref();
    for entry in fs::read_dir(folder).map_err(CheckpointError::read(folder))? {
        let path = entry.map_err(CheckpointError::read(folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') && name.ends_with(WRITING) && path.is_file() {
            fs::remove_file(&path).map_err(CheckpointError::write(&path))?;
        }
    }
    Ok(())
}
