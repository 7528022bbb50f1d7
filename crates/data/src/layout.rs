//! Finding out how a user's data are laid out.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::readers::listing::{list, name};
use crate::readers::{coco, csv, folder, idx, image_file, image_table, masks, voc, yolo};
use crate::target::TargetKind;
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
    /// Tables of image files with labels: [`readers::image_table`](crate::readers::image_table).
    ImageTable,
    /// YOLO's text files: [`readers::yolo`](crate::readers::yolo).
    Yolo,
    /// COCO's JSON: [`readers::coco`](crate::readers::coco).
    Coco,
    /// Pascal VOC's XML: [`readers::voc`](crate::readers::voc).
    Voc,
    /// Masks of classes: [`readers::masks`](crate::readers::masks).
    Masks,
    /// Masks of objects: [`readers::masks`](crate::readers::masks).
    ObjectMasks,
}

/// What there is to say and to do about a layout.
struct Entry {
    layout: Layout,
    name: &'static str,
    phrase: &'static str,
    is_here: fn(&Path) -> bool,
    open: fn(&Path) -> Result<Dataset>,
}

const ENTRIES: [Entry; 9] = [
    Entry {
        layout: Layout::Idx,
        name: "idx",
        phrase: "pairs of IDX files, images and labels",
        is_here: idx::is_here,
        open: idx::open,
    },
    Entry {
        layout: Layout::ImageFolder,
        name: "image_folder",
        phrase: "image files, one folder a class",
        is_here: folder::is_here,
        open: folder::open,
    },
    Entry {
        layout: Layout::PixelCsv,
        name: "pixel_csv",
        phrase: "CSV tables, one line of pixels an image",
        is_here: csv::is_here,
        open: csv::open,
    },
    Entry {
        layout: Layout::ImageTable,
        name: "image_table",
        phrase: "tables of image files with their labels",
        is_here: image_table::is_here,
        open: image_table::open,
    },
    Entry {
        layout: Layout::Yolo,
        name: "yolo",
        phrase: "YOLO: images with text files of boxes or outlines",
        is_here: yolo::is_here,
        open: yolo::open,
    },
    Entry {
        layout: Layout::Coco,
        name: "coco",
        phrase: "COCO: images with JSON files of objects",
        is_here: coco::is_here,
        open: coco::open,
    },
    Entry {
        layout: Layout::Voc,
        name: "voc",
        phrase: "Pascal VOC: images with XML files of boxes",
        is_here: voc::is_here,
        open: voc::open,
    },
    Entry {
        layout: Layout::Masks,
        name: "masks",
        phrase: "images with masks of classes",
        is_here: masks::is_here,
        open: masks::open,
    },
    Entry {
        layout: Layout::ObjectMasks,
        name: "object_masks",
        phrase: "images with masks of objects",
        is_here: masks::are_objects_here,
        open: masks::open_objects,
    },
];

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 9] = [
        Layout::Idx,
        Layout::ImageFolder,
        Layout::PixelCsv,
        Layout::ImageTable,
        Layout::Yolo,
        Layout::Coco,
        Layout::Voc,
        Layout::Masks,
        Layout::ObjectMasks,
    ];

    /// Finds the layout of what is at a path, by content and not by name alone.
    ///
    /// # Errors
    /// [`DataError::Ambiguous`] if more than one would do (a usage error: name the layout), [`DataError::NoData`] if
    /// none does, [`DataError::Read`] if there is nothing at the path.
    pub fn detect(path: &Path) -> Result<Layout> {
        std::fs::metadata(path).map_err(DataError::read(path))?;
        let mut candidates: Vec<Layout> = Layout::ALL.into_iter().filter(|layout| layout.is_here(path)).collect();
        // Folders of images are a part of other layouts too: they are classes where nothing else labels them.
        if candidates.iter().any(|layout| layout.labels_image_files()) {
            candidates.retain(|&layout| layout != Layout::ImageFolder);
        }
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
        (self.entry().open)(path)
    }

    /// The name by which it is written in a config, such as `image_folder`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The kind of targets that data of this layout have; nothing if that depends on the data.
    pub fn target_kind(self) -> Option<TargetKind> {
        match self {
            Layout::Idx | Layout::ImageFolder | Layout::PixelCsv => Some(TargetKind::Class),
            Layout::Yolo | Layout::Coco | Layout::Voc | Layout::ObjectMasks => Some(TargetKind::Objects),
            Layout::Masks => Some(TargetKind::PixelClasses),
            Layout::ImageTable => None,
        }
    }

    fn is_here(self, path: &Path) -> bool {
        (self.entry().is_here)(path)
    }

    fn labels_image_files(self) -> bool {
        !matches!(self, Layout::Idx | Layout::ImageFolder | Layout::PixelCsv)
    }

    fn entry(self) -> &'static Entry {
        ENTRIES.iter().find(|entry| entry.layout == self).unwrap_or(&ENTRIES[0])
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.entry().phrase)
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
