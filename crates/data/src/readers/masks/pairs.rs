//! Which mask belongs to which image.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::FaultKind;
use crate::readers::gathered::{child, stem};
use crate::readers::image_file::has_image_extension;
use crate::readers::listing::{has_extension, list, name, split_by_folder_name};
use crate::{DataError, Result, Split};

const IMAGES: [&str; 5] = ["images", "image", "imgs", "JPEGImages", "img"];
const MASKS: [&str; 9] =
    ["masks", "mask", "labels", "annotations", "annot", "SegmentationClass", "label", "segmentations", "instances"];
const SUFFIXES: [&str; 8] = ["_mask", "_masks", "_label", "_labels", "_L", "_seg", "-mask", "-label"];
/// Images with their masks, and what has no partner.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) pairs: Vec<(Split, PathBuf, PathBuf)>,
    /// Images, or masks, that stand alone.
    pub(super) alone: Vec<(Split, PathBuf, FaultKind)>,
}

/// Looks for the arrangements one after the other.
pub(super) fn find(path: &Path) -> Result<Pairs> {
    let mut pairs = Pairs::default();
    if path.is_dir() {
        for find in [from_lists, from_voc, from_folders, from_one_folder] {
            find(path, &mut pairs)?;
            if !pairs.pairs.is_empty() {
                return Ok(pairs);
            }
        }
    }
    let found = "there are no images with masks in it".to_string();
    Err(DataError::NoData { path: path.to_owned(), found, remedy: "put them into folders images and masks".into() })
}

/// `train.txt` and so on, with an image and a mask a line.
fn from_lists(path: &Path, pairs: &mut Pairs) -> Result<()> {
    for file in list(path)?.0.into_iter().filter(|file| has_extension(file, &["txt"])) {
        let Some(split) = split_by_folder_name(&stem(&file)) else { continue };
        let text = fs::read_to_string(&file).map_err(DataError::read(&file))?;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [image, mask] = words[..] else { continue };
            let place = |word: &str| path.join(word.trim_start_matches("./"));
            if [image, mask].iter().all(|word| has_image_extension(Path::new(word))) {
                pairs.pairs.push((split, place(image), place(mask)));
            }
        }
    }
    Ok(())
}

/// `JPEGImages`, `SegmentationClass` and lists of names.
fn from_voc(path: &Path, pairs: &mut Pairs) -> Result<()> {
    let sets = child(path, &["ImageSets"]).and_then(|sets| child(&sets, &["Segmentation"]));
    let (Some(images), Some(masks), Some(sets)) =
        (child(path, &["JPEGImages"]), child(path, &["SegmentationClass"]), sets)
    else {
        return Ok(());
    };
    for (split, name) in [(Split::Train, "train.txt"), (Split::Validation, "val.txt"), (Split::Test, "test.txt")] {
        let file = sets.join(name);
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for stem in text.lines().filter_map(|line| line.split_whitespace().next()) {
            pairs.pairs.push((split, images.join(format!("{stem}.jpg")), masks.join(format!("{stem}.png"))));
        }
    }
    Ok(())
}

/// Two folders side by side, perhaps within folders of splits, perhaps with folders of splits within.
fn from_folders(path: &Path, pairs: &mut Pairs) -> Result<()> {
    let mut roots = vec![(Split::Train, path.to_owned())];
    let of_splits =
        list(path)?.1.into_iter().filter_map(|folder| Some((split_by_folder_name(&name(&folder))?, folder)));
    roots.extend(of_splits);
    for (split, root) in roots {
        let (Some(images), Some(masks)) = (child(&root, &IMAGES), child(&root, &MASKS)) else { continue };
        match_folders(split, &images, &masks, pairs)?;
        for folder in list(&images)?.1 {
            let within = name(&folder);
            if let (Some(split), Some(masks)) = (split_by_folder_name(&within), child(&masks, &[&within])) {
                match_folders(split, &folder, &masks, pairs)?;
            }
        }
    }
    Ok(())
}

fn match_folders(split: Split, images: &Path, masks: &Path, pairs: &mut Pairs) -> Result<()> {
    let masks = images_in(masks)?;
    // Where no mask has a partner these are no masks, but a folder of something else.
    let mut by_stem: HashMap<String, PathBuf> =
        masks.into_iter().map(|mask| (without_suffix(&stem(&mask)), mask)).collect();
    let mut alone = Vec::new();
    let before = pairs.pairs.len();
    for image in images_in(images)? {
        match by_stem.remove(&stem(&image)) {
            Some(mask) => pairs.pairs.push((split, image, mask)),
            None => alone.push((split, image, FaultKind::LabelMissing)),
        }
    }
    if pairs.pairs.len() > before {
        let mut masks: Vec<PathBuf> = by_stem.into_values().collect();
        masks.sort();
        alone.extend(masks.into_iter().map(|mask| (split, mask, FaultKind::ImageMissing)));
        pairs.alone.extend(alone);
    }
    Ok(())
}

/// Images and masks in one folder, told apart by the ends of their names.
fn from_one_folder(path: &Path, pairs: &mut Pairs) -> Result<()> {
    let files = images_in(path)?;
    let (masks, images): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| without_suffix(&stem(file)) != stem(file));
    let by_stem: HashMap<String, PathBuf> =
        masks.into_iter().map(|mask| (without_suffix(&stem(&mask)), mask)).collect();
    for image in images {
        match by_stem.get(&stem(&image)) {
            Some(mask) => pairs.pairs.push((Split::Train, image, mask.clone())),
            None => pairs.alone.push((Split::Train, image, FaultKind::LabelMissing)),
        }
    }
    Ok(())
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(list(folder)?.0.into_iter().filter(|file| has_image_extension(file)).collect())
}

fn without_suffix(stem: &str) -> String {
    SUFFIXES.iter().find_map(|suffix| stem.strip_suffix(suffix)).unwrap_or(stem).to_string()
}
