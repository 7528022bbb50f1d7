//! Finding out how a user's data are laid out.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::readers::listing::{list, name};
use crate::readers::{csv, folder, idx, image_file};
use crate::{DataError, Dataset, Result};

/// How data are laid out on the disk. It prints itself as a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Pairs of IDX files: [`readers::idx`](crate::readers::idx).
    Idx,
    /// One folder of image files a class: [`readers::folder`](crate::readers::folder).
    ImageFolder,
    /// Tables of pixels: [`readers::csv`](crate::readers::csv).
    PixelCsv,
}

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 3] = [Layout::Idx, Layout::ImageFolder, Layout::PixelCsv];

    /// Finds the layout of what is at a path, by content and not by name alone.
    ///
    /// # Errors
    /// [`DataError::Ambiguous`] if more than one would do (a usage error: name the layout), [`DataError::NoData`] if
    /// none does, [`DataError::Read`] if there is nothing at the path.
    pub fn detect(path: &Path) -> Result<Layout> {
        std::fs::metadata(path).map_err(DataError::read(path))?;
        let candidates: Vec<Layout> = Layout::ALL.into_iter().filter(|layout| layout.is_here(path)).collect();
        match candidates[..] {
            [layout] => Ok(layout),
            [] => Err(nothing_known(path)?),
            _ => Err(DataError::Ambiguous {
                path: path.to_owned(),
                candidates: candidates.iter().map(|layout| format!("{layout} ({})", layout.name())).collect(),
                remedy: "name the layout, or keep only one of them there".into(),
            }),
        }
    }

    /// Reads what is at a path as this layout.
    ///
    /// # Errors
    /// Those of the layout's reader.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Dataset> {
        let path = path.as_ref();
        std::fs::metadata(path).map_err(DataError::read(path))?;
        match self {
            Layout::Idx => idx::open(path),
            Layout::ImageFolder => folder::open(path),
            Layout::PixelCsv => csv::open(path),
        }
    }

    /// The name by which it is written in a config: `idx`, `image_folder`, `pixel_csv`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Idx => "idx",
            Layout::ImageFolder => "image_folder",
            Layout::PixelCsv => "pixel_csv",
        }
    }

    fn is_here(self, path: &Path) -> bool {
        match self {
            Layout::Idx => idx::is_here(path),
            Layout::ImageFolder => folder::is_here(path),
            Layout::PixelCsv => csv::is_here(path),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Layout::Idx => "pairs of IDX files, images and labels",
            Layout::ImageFolder => "image files, one folder a class",
            Layout::PixelCsv => "CSV tables, one line of pixels an image",
        })
    }
}

impl FromStr for Layout {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Layout> {
        Layout::ALL.into_iter().find(|layout| layout.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Layout::ALL.iter().map(|layout| layout.name()).collect();
            DataError::setting(format!("layout \"{text}\""), format!("must be one of {}", names.join(", ")))
        })
    }
}

/// What to say where no layout fits.
fn nothing_known(path: &Path) -> Result<DataError> {
    let none = |found: String, remedy: &str| DataError::NoData { path: path.to_owned(), found, remedy: remedy.into() };
    let remedy = "data are IDX files, a folder of images a class, or CSV files of a label and pixels";
    if !path.is_dir() {
        if csv::has_csv_extension(path) {
            // The reader tells what is wrong with the table.
            return Ok(csv::open(path).err().unwrap_or_else(|| none("not a table of pixels".into(), remedy)));
        }
        if image_file::has_image_extension(path) {
            return Ok(none("a single image is not a dataset".into(), "name the folder that has its class's folder"));
        }
        return Ok(none("it is in none of the known formats".into(), remedy));
    }
    let (files, folders) = list(path)?;
    Ok(match (files.first(), folders.first()) {
        (None, None) => none("the folder is empty".into(), remedy),
        _ if files.iter().any(|file| image_file::has_image_extension(file)) => {
            none("its images are in no class's folder".into(), "put every image into a folder named like its class")
        }
        (Some(file), _) => none(format!("its files ({}, ...) are in none of the known formats", name(file)), remedy),
        (None, Some(_)) => folder::no_images(path),
    })
}
