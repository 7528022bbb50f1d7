//! Masks: an image of labels for each image.
//!
//! ```text
//! images/1.jpg        masks/1.png                  (or labels, annotations, annot; either way with folders of splits)
//! train/images/1.jpg  train/masks/1.png
//! train.txt           each line `images/1.jpg masks/1.png`
//! JPEGImages/1.jpg    SegmentationClass/1.png      ImageSets/Segmentation/train.txt
//! 1.tif               1_label.tif                  (or _mask, _labels, _L, in one folder)
//! ```
//!
//! Two layouts share this: masks whose values are classes, and those whose values are objects, numbered image by image.
//! A mask may be grey (8 or 16 bits), of a palette (the index counts) or in colour. The classes' names come from
//! `classes.txt` (or `class_names.txt`, `codes.txt`; a name a line), or with their colours from `class_dict.csv`
//! (`name,r,g,b`) or `labelmap.txt` (`name:r,g,b::`); without one, from the values that occur. 255, and black among
//! colours, is ignored unless it is a class; so is a class that is called `void`, `ignore`, `unlabelled` or `unlabeled`.
//!
//! Of TIFF files with several pages each page is an image.

use std::path::{Path, PathBuf};

use crate::dataset::FaultKind;
use crate::readers::gathered::Gathered;
use crate::readers::listing::has_extension;
use crate::readers::picture::tiff;
use crate::target::{Page, Target};
use crate::{Dataset, Result};

mod classes;
mod objects;
mod pairs;

use classes::Classes;
use pairs::Pairs;

const IGNORED_NAMES: [&str; 4] = ["void", "ignore", "unlabelled", "unlabeled"];

/// How many masks are looked into to learn what their values are.
const NUM_PROBES: usize = 64;

/// Reads images with masks of classes.
///
/// # Errors
/// If there are none, or masks are in colour and nothing tells what the colours stand for.
pub fn open(path: &Path) -> Result<Dataset> {
    let pairs = pairs::find(path)?;
    let classes = Classes::of(path, &pairs)?;
    let ignored: Vec<&str> = classes
        .names
        .iter()
        .map(String::as_str)
        .filter(|name| IGNORED_NAMES.contains(&name.to_lowercase().as_str()))
        .collect();
    let dataset = gather(pairs, Target::PixelClasses)?.finish_with(path, classes.names.clone())?;
    dataset.with_pixel_classes(classes.values).ignoring(&ignored)
}

/// Reads images with masks of objects. They are all of one class.
///
/// # Errors
/// If there are none.
pub fn open_objects(path: &Path) -> Result<Dataset> {
    gather(pairs::find(path)?, Target::PixelObjects)?.finish_with(path, vec!["object".into()])
}

/// Whether there are images with masks of classes.
pub(crate) fn is_here(path: &Path) -> bool {
    pairs::find(path).is_ok_and(|pairs| !objects::are_objects(&pairs))
}

/// Whether there are images with masks of objects.
pub(crate) fn are_objects_here(path: &Path) -> bool {
    pairs::find(path).is_ok_and(|pairs| objects::are_objects(&pairs))
}

fn gather(pairs: Pairs, target: fn(Page) -> Target) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    for (split, image, mask) in pairs.pairs {
        let (num_images, num_masks) = (pages(&image), pages(&mask));
        if num_images != num_masks {
            let reason = format!("has {num_masks} pages, its image {} has {num_images}", image.display());
            gathered.fault_of_next(FaultKind::Malformed, &mask, None, reason);
        }
        if !image.is_file() {
            gathered.fault(FaultKind::ImageMissing, &mask, None, format!("there is no image {}", image.display()));
            continue;
        }
        let is_there = mask.is_file();
        if !is_there {
            gathered.fault_of_next(
                FaultKind::LabelMissing,
                &image,
                None,
                format!("there is no mask {}", mask.display()),
            );
        }
        for number in 0..num_images {
            let label = Page { path: mask.clone(), number };
            let target = if is_there && number < num_masks { target(label) } else { Target::Unlabelled };
            gathered.add(split, Page { path: image.clone(), number }, target);
        }
    }
    for (split, path, kind) in pairs.alone {
        match kind {
            FaultKind::LabelMissing => {
                gathered.fault_of_next(kind, &path, None, "has no mask");
                gathered.add(split, path, Target::Unlabelled);
            }
            _ => gathered.fault(kind, &path, None, "has no image"),
        }
    }
    Ok(gathered)
}

fn pages(path: &Path) -> usize {
    if has_extension(path, &["tif", "tiff"]) { tiff::count(path) } else { 1 }
}

/// Some of the masks, spread evenly.
fn probes(pairs: &Pairs) -> impl Iterator<Item = &PathBuf> {
    let step = pairs.pairs.len().div_ceil(NUM_PROBES).max(1);
    pairs.pairs.iter().step_by(step).map(|(_, _, mask)| mask)
}
