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

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::FaultKind;
use crate::readers::gathered::{Gathered, child, stem};
use crate::readers::image_file::has_image_extension;
use crate::readers::listing::{has_extension, list, name, split_by_folder_name};
use crate::readers::{label_image, tiff_page};
use crate::target::{Page, PixelClasses, Target};
use crate::{DataError, Dataset, Result, Split};

const IMAGES: [&str; 5] = ["images", "image", "imgs", "JPEGImages", "img"];
const MASKS: [&str; 9] =
    ["masks", "mask", "labels", "annotations", "annot", "SegmentationClass", "label", "segmentations", "instances"];
const SUFFIXES: [&str; 8] = ["_mask", "_masks", "_label", "_labels", "_L", "_seg", "-mask", "-label"];
const IGNORED_NAMES: [&str; 4] = ["void", "ignore", "unlabelled", "unlabeled"];

/// How many masks are looked into to learn what their values are.
const NUM_PROBES: usize = 64;

/// Reads images with masks of classes.
///
/// # Errors
/// If there are none, or masks are in colour and nothing tells what the colours stand for.
pub fn open(path: &Path) -> Result<Dataset> {
    let pairs = found(path)?;
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
    gather(found(path)?, Target::PixelObjects)?.finish_with(path, vec!["object".into()])
}

/// Whether there are images with masks of classes.
pub(crate) fn is_here(path: &Path) -> bool {
    found(path).is_ok_and(|pairs| !are_objects(&pairs))
}

/// Whether there are images with masks of objects.
pub(crate) fn are_objects_here(path: &Path) -> bool {
    found(path).is_ok_and(|pairs| are_objects(&pairs))
}

/// Images with their masks, and what has no partner.
#[derive(Default)]
struct Pairs {
    pairs: Vec<(Split, PathBuf, PathBuf)>,
    /// Images, or masks, that stand alone.
    alone: Vec<(Split, PathBuf, FaultKind)>,
}

fn found(path: &Path) -> Result<Pairs> {
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
    if has_extension(path, &["tif", "tiff"]) { tiff_page::count(path) } else { 1 }
}

/// Some of the masks, spread evenly.
fn probes(pairs: &Pairs) -> impl Iterator<Item = Page> {
    let step = pairs.pairs.len().div_ceil(NUM_PROBES).max(1);
    pairs.pairs.iter().step_by(step).map(|(_, _, mask)| Page::from(mask.clone()))
}

/// Whether the values of masks number objects: some are above 255, or each mask has all the numbers up to its own
/// greatest, which is above 20 somewhere and not the same everywhere (nor is there only one mask to look at).
fn are_objects(pairs: &Pairs) -> bool {
    let mut greatest = BTreeSet::new();
    let mut are_in_order = true;
    for values in probes(pairs).filter_map(|page| label_image::values(&page).ok()) {
        let Some(values) = values else { return false };
        let last = values.last().copied().unwrap_or(0);
        if last > 255 {
            return true;
        }
        let num_objects = values.iter().filter(|&&value| value > 0).count();
        // Objects that were cut away leave gaps.
        are_in_order &= num_objects as f64 >= 0.8 * last as f64;
        greatest.insert(last);
    }
    let is_single = pairs.pairs.len() == 1;
    are_in_order && greatest.last().is_some_and(|&last| last > 20) && (greatest.len() > 1 || is_single)
}

/// What the values of masks stand for.
struct Classes {
    names: Vec<String>,
    values: PixelClasses,
}

impl Classes {
    fn of(path: &Path, pairs: &Pairs) -> Result<Self> {
        for (file, read) in [
            ("class_dict.csv", read_class_dict as fn(&str) -> Option<Vec<(String, [u8; 3])>>),
            ("labelmap.txt", read_label_map),
        ] {
            let file = path.join(file);
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let classes = read(&text)
                .filter(|classes| !classes.is_empty())
                .ok_or_else(|| DataError::label(&file, None, "has a line that is not a name and a colour"))?;
            let (names, colours): (Vec<String>, Vec<[u8; 3]>) = classes.into_iter().unzip();
            let values = PixelClasses {
                values: PixelClasses::in_order(names.len()).values,
                ..PixelClasses::of_colours(colours)
            };
            return Ok(Self { names, values });
        }
        for file in ["classes.txt", "class_names.txt", "codes.txt"] {
            if let Ok(text) = fs::read_to_string(path.join(file)) {
                let names: Vec<String> =
                    text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect();
                return Ok(Self { values: PixelClasses::in_order(names.len()), names });
            }
        }
        let mut greatest = 0;
        for page in probes(pairs) {
            match label_image::values(&page) {
                Ok(None) => {
                    return Err(DataError::label(
                        &page.path,
                        None,
                        "is in colour; say in class_dict.csv (name,r,g,b) what the colours stand for",
                    ));
                }
                // 255 is what is not to be learnt. A mask that cannot be read is the data gate's to report.
                Ok(Some(values)) => greatest = values.into_iter().filter(|&value| value < 255).fold(greatest, u32::max),
                Err(_) => {}
            }
        }
        let names: Vec<String> = (0..=greatest).map(|value| value.to_string()).collect();
        Ok(Self { values: PixelClasses::in_order(names.len()), names })
    }
}

/// `name,r,g,b` a line, below a header.
fn read_class_dict(text: &str) -> Option<Vec<(String, [u8; 3])>> {
    let lines = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.split_once(',').and_then(|(name, rest)| Some((name.trim().to_string(), colour(rest)?))))
        .collect()
}

/// `name:r,g,b::` a line; comments begin with `#`.
fn read_label_map(text: &str) -> Option<Vec<(String, [u8; 3])>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split(':');
            Some((parts.next()?.trim().to_string(), colour(parts.next()?)?))
        })
        .collect()
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<u8>>>()?;
    numbers.try_into().ok()
}
