//! What files about images are called.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The names that are taken.
#[derive(Default)]
pub(super) struct Names(HashSet<PathBuf>);

impl Names {
    /// The image's name with another extension; where that is taken, by `1.jpg` beside `1.png`, with both.
    pub(super) fn with_extension(&mut self, name: &Path, extension: &str) -> PathBuf {
        let short = name.with_extension(extension);
        if self.0.insert(short.clone()) {
            return short;
        }
        let mut whole = name.as_os_str().to_owned();
        whole.push(".");
        whole.push(extension);
        let whole = PathBuf::from(whole);
        self.0.insert(whole.clone());
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_takes_the_place_of_another() {
        let mut names = Names::default();
        let mut of = |name: &str| names.with_extension(Path::new(name), "txt").display().to_string();
        assert_eq!([of("a/1.png"), of("b/1.png"), of("a/1.jpg")], ["a/1.txt", "b/1.txt", "a/1.jpg.txt"]);
    }
}
