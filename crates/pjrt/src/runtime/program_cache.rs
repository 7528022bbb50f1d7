//! Compiled programs, kept on disk from run to run.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::{Client, Device};

/// How large the cache of a user may become.
const LIMIT: u64 = 4 << 30;
/// What an entry begins with; the digest of the rest follows.
const MAGIC: &[u8] = b"gyrus pjrt executable 1\n";
const DIGEST: usize = 32;
/// The ends of the names of entries, and of those that are being written.
const ENTRY: &str = "executable";
const WRITING: &str = "writing";

/// A folder of compiled programs.
///
/// An entry is named by all that a compiler's result depends on: the program, the options, the plug-in and its flags,
/// the devices, the processor. Nothing that happens to the folder is an error: what cannot be read is compiled again, what cannot
/// be written is not kept.
#[derive(Clone, Debug)]
pub struct ProgramCache {
    folder: Arc<Path>,
    limit: u64,
}

/// The variables by which users tell compilers what no option of ours says.
const FLAGS: [&str; 2] = ["XLA_FLAGS", "LIBTPU_INIT_ARGS"];

/// The name of an entry: the SHA-256 of what it depends on.
pub(super) struct Key(String);

impl ProgramCache {
    /// A cache in this folder, which is made when it is needed, of so many bytes at most.
    pub fn new(folder: impl Into<PathBuf>, limit: u64) -> Self {
        Self { folder: folder.into().into(), limit }
    }

    /// The user's: `$XDG_CACHE_HOME/gyrus/pjrt`, else `~/.cache/gyrus/pjrt`, of 4 GiB at most. `GYRUS_PJRT_CACHE`
    /// names another folder, or says `off`.
    pub fn of_user() -> Option<Self> {
        let chosen = env::var_os("GYRUS_PJRT_CACHE").filter(|value| !value.is_empty());
        if chosen.as_ref().is_some_and(|value| value == "off") {
            return None;
        }
        let cache_home = || {
            let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
            xdg.or_else(|| env::home_dir().map(|home| home.join(".cache")))
        };
        let folder = chosen.map(PathBuf::from).or_else(|| Some(cache_home()?.join("gyrus").join("pjrt")))?;
        Some(Self::new(folder, LIMIT))
    }

    /// What was stored under a key, if it is there and whole.
    pub(super) fn read(&self, key: &Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        let mut bytes = fs::read(&path).ok()?;
        let is_whole = bytes.starts_with(MAGIC)
            && bytes.len() >= MAGIC.len() + DIGEST
            && bytes[MAGIC.len()..][..DIGEST] == Sha256::digest(&bytes[MAGIC.len() + DIGEST..])[..];
        if !is_whole {
            self.remove(key);
            return None;
        }
        // The entries that were used last are those that stay.
        let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        bytes.drain(..MAGIC.len() + DIGEST);
        Some(bytes)
    }

    /// Stores something under a key, and removes what was used least recently until the cache is small enough.
    pub(super) fn write(&self, key: &Key, executable: &[u8]) {
        if executable.len() as u64 <= self.limit && self.replace(&self.path(key), executable).is_ok() {
            self.shrink();
        }
    }

    /// Removes an entry that is of no use.
    pub(super) fn remove(&self, key: &Key) {
        let _ = fs::remove_file(self.path(key));
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.0).with_extension(ENTRY)
    }

    /// Writes beside and renames, so that other processes see the whole entry or none.
    fn replace(&self, path: &Path, executable: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(&self.folder)?;
        let unique = format!("{}-{}.{WRITING}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let beside = path.with_extension(unique);
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(MAGIC)?;
            file.write_all(&Sha256::digest(executable))?;
            file.write_all(executable)?;
            fs::rename(&beside, path)
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }

    fn shrink(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let is_ours = |path: &Path| path.extension().is_some_and(|end| end == ENTRY || end == WRITING);
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter(|entry| is_ours(&entry.path()))
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in entries {
            if total <= self.limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= size;
            }
        }
    }
}

impl Key {
    /// The key of a program that is compiled with these options for a client's devices.
    pub(super) fn new(client: &Client, program: &str, options: &[u8]) -> Self {
        let plugin = client.plugin();
        let metadata = fs::metadata(plugin.path()).ok();
        let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        let size = metadata.as_ref().map(fs::Metadata::len);
        let kinds: Vec<&str> = client.devices().iter().map(Device::kind).collect();
        let environment = format!(
            "{:?} {:?} {size:?} {modified:?} {:?} {} {} {kinds:?} {:?} {}",
            plugin.path(),
            plugin.api_version(),
            plugin.attributes(),
            client.platform_name(),
            client.platform_version(),
            FLAGS.map(env::var_os),
            processor(),
        );
        let mut hash = Sha256::new();
        for part in [program.as_bytes(), options, environment.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What instructions the processor has, as far as the system says: code that was compiled for one machine must not run
/// on another that shares the user's folder.
fn processor() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_about_instructions = |line: &&str| line.starts_with("flags") || line.starts_with("Features");
    let instructions = information.lines().find(is_about_instructions).unwrap_or_default();
    format!("{} {instructions}", env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::{Key, ProgramCache};

    fn key(name: &str) -> Key {
        Key(name.to_owned())
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let cache = ProgramCache::new(folder.path().join("made/when/needed"), 1 << 20);
        assert_eq!(cache.read(&key("a")), None);
        cache.write(&key("a"), b"program");
        assert_eq!(cache.read(&key("a")).unwrap(), b"program");
        assert_eq!(cache.read(&key("b")), None);
    }

    #[test]
    fn a_damaged_entry_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = ProgramCache::new(folder.path(), 1 << 20);
        let path = cache.path(&key("a"));
        for damage in [|bytes: &mut Vec<u8>| bytes.truncate(40), |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1]
        {
            cache.write(&key("a"), b"program");
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(&path, bytes).unwrap();
            assert_eq!(cache.read(&key("a")), None);
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_was_used_least_recently_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = ProgramCache::new(folder.path(), 400);
        let age = |name: &str, seconds: u64| {
            let file = fs::File::options().append(true).open(cache.path(&key(name))).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        };
        cache.write(&key("old"), &[1; 100]);
        cache.write(&key("older"), &[2; 100]);
        age("old", 100);
        age("older", 200);
        // Reading makes it the newest.
        assert!(cache.read(&key("older")).is_some());
        cache.write(&key("new"), &[3; 100]);
        assert!(cache.read(&key("old")).is_none());
        assert!(cache.read(&key("older")).is_some() && cache.read(&key("new")).is_some());
        // What could never fit is not tried.
        cache.write(&key("huge"), &[4; 500]);
        assert!(cache.read(&key("older")).is_some() && cache.read(&key("huge")).is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = ProgramCache::new(file.path().join("within a file"), 400);
        cache.write(&key("a"), b"program");
        assert_eq!(cache.read(&key("a")), None);
    }
}
