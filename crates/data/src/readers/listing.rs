//! What is in a folder, in an order that does not depend on the file system.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{DataError, Result, Split};

/// The files and the folders in a folder, each sorted by name. Hidden ones are left out; links are followed.
pub(crate) fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(DataError::read(folder))? {
        let entry = entry.map_err(DataError::read(folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if path.is_dir() { folders.push(path) } else { files.push(path) }
    }
    files.sort();
    folders.sort();
    Ok((files, folders))
}

/// A path's last part.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The split whose name a folder has.
pub(crate) fn split_by_folder_name(name: &str) -> Option<Split> {
    match name.to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Validation),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// The split that a file's name tells of: `mnist_test.csv`, `t10k-images-idx3-ubyte`, `instances_val2017.json`.
pub(crate) fn split_by_file_name(name: &str) -> Option<Split> {
    let name = name.to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    words.find_map(|word| match word {
        "t10k" => Some(Split::Test),
        word => split_by_folder_name(word.trim_end_matches(|letter: char| letter.is_ascii_digit())),
    })
}

/// Whether a file has one of these extensions, given in small letters.
pub(crate) fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| extensions.contains(&extension.as_str()))
}
