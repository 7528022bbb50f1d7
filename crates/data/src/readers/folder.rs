//! A folder of image files, one folder a class, with or without folders for the splits above.
//!
//! ```text
//! flowers/daisy/1.jpg            flowers/train/daisy/1.jpg
//! flowers/tulip/2.png            flowers/val/daisy/7.jpg      (or valid, validation)
//!                                flowers/test/tulip/9.jpg
//! ```
//!
//! Images may lie deeper within a class's folder. Classes are ordered by name, and by value if all names are whole
//! numbers. Hidden files are passed over; files with other extensions are too, and the dataset's notes count them.

use std::path::{Path, PathBuf};

use crate::classes::ClassNames;
use crate::dataset::ImageFile;
use crate::readers::image_file::has_image_extension;
use crate::readers::listing::{list, name, split_by_folder_name};
use crate::target::Target;
use crate::{DataError, Dataset, Result, Split};

/// How deep images may lie within a class: links can make a circle.
const MAX_DEPTH: usize = 16;

/// Lists the image files of a folder; they are opened when they are read.
///
/// # Errors
/// If there are no images, or images that are in no class's folder.
pub fn open(path: &Path) -> Result<Dataset> {
    let mut classes = ClassNames::default();
    let mut files = Vec::new();
    let mut num_others = 0;
    for (split, root) in roots(path)? {
        let (loose, folders) = list(&root)?;
        if let Some(image) = loose.iter().find(|file| has_image_extension(file)) {
            return Err(DataError::NoData {
                found: format!("the image {} is in no class's folder", name(image)),
                path: root,
                remedy: "put every image into a folder named like its class".into(),
            });
        }
        for folder in folders {
            let class = classes.number(&name(&folder));
            let mut paths = Vec::new();
            num_others += collect(&folder, 0, &mut paths)?;
            files.extend(paths.into_iter().map(|path| ImageFile {
                split,
                target: Target::Class(class),
                image: path.into(),
            }));
        }
    }
    if files.is_empty() {
        return Err(no_images(path));
    }
    let (classes, places) = classes.sorted();
    files.iter_mut().try_for_each(|file| file.target.renumber(&|class| Ok(places[class])))?;
    let notes = match num_others {
        0 => Vec::new(),
        count => {
            vec![format!("{count} files in {} are not images by their extension and were left out", path.display())]
        }
    };
    Ok(Dataset::from_files(classes, files)?.with_notes(notes))
}

/// Whether there is an image in a folder within this one.
pub(crate) fn is_here(path: &Path) -> bool {
    fn has_image(folder: &Path, depth: usize) -> bool {
        let Ok((files, folders)) = list(folder) else { return false };
        (depth > 0 && files.iter().any(|file| has_image_extension(file)))
            || (depth < MAX_DEPTH && folders.iter().any(|folder| has_image(folder, depth + 1)))
    }
    path.is_dir() && has_image(path, 0)
}

/// What is said of a folder without images.
pub(crate) fn no_images(path: &Path) -> DataError {
    let found = "there are no images in it".to_string();
    DataError::NoData {
        path: path.to_owned(),
        found,
        remedy: "name a folder that has one folder of images a class".into(),
    }
}

/// The folders that have the classes in them, each with its split.
fn roots(path: &Path) -> Result<Vec<(Split, PathBuf)>> {
    let (_, folders) = list(path)?;
    let of_splits = folders.iter().filter_map(|folder| Some((split_by_folder_name(&name(folder))?, folder.clone())));
    let mut roots: Vec<(Split, PathBuf)> = of_splits.collect();
    if roots.is_empty() {
        return Ok(vec![(Split::Train, path.to_owned())]);
    }
    if let Some(other) = folders.iter().find(|folder| split_by_folder_name(&name(folder)).is_none()) {
        let candidates = vec![
            format!("splits ({}), of which {} is none", name(&roots[0].1), name(other)),
            "classes, all of them".to_string(),
        ];
        let remedy = format!("move or rename {}", other.display());
        return Err(DataError::Ambiguous { path: path.to_owned(), candidates, remedy });
    }
    roots.sort();
    if let Some(two) = roots.windows(2).find(|two| two[0].0 == two[1].0) {
        let candidates = two.iter().map(|(split, folder)| format!("{split} samples from {}", name(folder))).collect();
        let remedy = "leave only one of them".into();
        return Err(DataError::Ambiguous { path: path.to_owned(), candidates, remedy });
    }
    Ok(roots)
}

/// Adds the images at and below a folder; returns the number of other files.
fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<usize> {
    let (files, folders) = list(folder)?;
    let count = files.len();
    let before = paths.len();
    paths.extend(files.into_iter().filter(|file| has_image_extension(file)));
    let mut others = count - (paths.len() - before);
    if depth < MAX_DEPTH {
        for folder in folders {
            others += collect(&folder, depth + 1, paths)?;
        }
    }
    Ok(others)
}
