//! Which images a command means.

use std::fs;
use std::path::{Path, PathBuf};

use gyrus_data::DataError;
use gyrus_data::readers::image_file;

use crate::TaskError;

/// An image that a command means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Its file; nothing for standard input.
    pub path: Option<PathBuf>,
    /// Its name among the others: the path from the folder that was named, or the file's name.
    pub name: PathBuf,
}

impl Source {
    /// As it was named.
    pub fn shown(&self) -> String {
        self.path.as_ref().map_or_else(|| "-".to_owned(), |path| path.display().to_string())
    }
}

/// The images of files, folders (with the folders in them, in the order of their names), patterns such as
/// `photos/*.jpg` and `photos/**/*.png`, and `-` for standard input.
///
/// # Errors
/// [`TaskError::Data`] if there is no such file, or a folder has no images; [`TaskError::Usage`] for a pattern that is none,
/// or that no image fits.
pub fn sources(named: &[String]) -> Result<Vec<Source>, TaskError> {
    let mut found = vec![];
    for text in named {
        let path = Path::new(text);
        match text.as_str() {
            "-" => found.push(Source { path: None, name: "image".into() }),
            // A file whose name looks like a pattern is itself.
            pattern if !path.exists() && pattern.contains(['*', '?', '[']) => found.extend(of_pattern(pattern)?),
            _ => found.extend(of_path(path)?),
        }
    }
    if found.iter().filter(|source| source.path.is_none()).count() > 1 {
        return Err(TaskError::Usage("`-`: standard input has one image; name it once".into()));
    }
    Ok(found)
}

fn of_path(path: &Path) -> Result<Vec<Source>, TaskError> {
    if !fs::metadata(path).map_err(read(path))?.is_dir() {
        return Ok(vec![of_file(path)]);
    }
    let (mut found, mut pending) = (vec![], vec![path.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).map_err(read(&folder))? {
            let file = entry.map_err(read(&folder))?.path();
            if file.is_dir() {
                pending.push(file);
            } else if image_file::has_image_extension(&file) {
                let name = file.strip_prefix(path).unwrap_or(&file).to_owned();
                found.push(Source { path: Some(file), name });
            }
        }
    }
    found.sort();
    if found.is_empty() {
        let (found, remedy) = ("there are no image files in it".into(), "name a folder with images".into());
        return Err(DataError::NoData { path: path.to_owned(), found, remedy }.into());
    }
    Ok(found)
}

fn of_pattern(pattern: &str) -> Result<Vec<Source>, TaskError> {
    let wrong = |reason: String| TaskError::Usage(format!("{pattern}: {reason}"));
    let paths = glob::glob(pattern).map_err(|error| wrong(format!("is not a pattern: {error}")))?;
    let mut files = vec![];
    for path in paths {
        let path = path.map_err(|error| DataError::Read { path: error.path().to_owned(), source: error.into() })?;
        if path.is_file() && image_file::has_image_extension(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(wrong("no image file fits; `*` stands for part of a name, `**` for any folders".into()));
    }
    // From the folder that all of the pattern is in.
    let fixed: PathBuf =
        Path::new(pattern).iter().take_while(|part| !part.to_string_lossy().contains(['*', '?', '['])).collect();
    let name = |path: &Path| path.strip_prefix(&fixed).unwrap_or(path).to_owned();
    Ok(files.into_iter().map(|path| Source { name: name(&path), path: Some(path) }).collect())
}

fn of_file(path: &Path) -> Source {
    Source { path: Some(path.to_owned()), name: path.file_name().map_or_else(|| "image".into(), PathBuf::from) }
}

fn read(path: &Path) -> impl Fn(std::io::Error) -> DataError {
    let path = path.to_owned();
    move |error| DataError::Read { path: path.clone(), source: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(named: &[String]) -> Vec<String> {
        sources(named).unwrap().iter().map(|source| source.name.display().to_string()).collect()
    }

    #[test]
    fn files_folders_patterns_and_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(at("deep")).unwrap();
        for file in ["2.png", "1.JPG", "deep/1.png", "notes.txt", "[x].png"] {
            fs::write(at(file), "").unwrap();
        }
        assert_eq!(names(&[at("")]), ["1.JPG", "2.png", "[x].png", "deep/1.png"]);
        assert_eq!(names(&[at("*.png")]), ["2.png", "[x].png"]);
        assert_eq!(names(&[at("**/*.png")]), ["2.png", "[x].png", "deep/1.png"]);
        assert_eq!(names(&[at("[x].png"), "-".into(), at("deep/1.png")]), ["[x].png", "image", "1.png"]);
        assert_eq!(sources(&["-".into()]).unwrap()[0].shown(), "-");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let error = |name: String| sources(&[name]).unwrap_err().to_string();
        assert!(error(at("none.png")).contains("none.png"));
        assert!(error(at("")).contains("no image files"));
        assert!(error(at("*.png")).contains("no image file fits"));
        assert!(error(at("***.png")).contains("is not a pattern"));
        assert!(sources(&["-".into(), "-".into()]).is_err());
    }
}
