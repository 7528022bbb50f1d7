//! YOLO: a text file of boxes, or outlines, for each image.
//!
//! ```text
//! data.yaml            names: [cat, dog]; train: images/train; val: images/val; path: (where these are)
//! images/train/1.jpg   labels/train/1.txt, each line `class center_x center_y width height`
//!                                                or `class x1 y1 x2 y2 x3 y3 ...`
//! ```
//!
//! Numbers are shares of the image's width and height. The labels of an image lie where its path would lead with
//! `labels` in place of the last `images`, else beside it. An empty file says that an image shows nothing; an image
//! without a file is a fault. Without a `data.yaml`, folders `images` and `labels` side by side are read, and
//! `classes.txt` beside them names the classes.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use gyrus_geometry::{Cxcywh, Polygon, Xyxy};
use saphyr::{LoadableYamlNode, Yaml};

use crate::dataset::FaultKind;
use crate::readers::gathered::{Gathered, child};
use crate::readers::image_file::{self, has_image_extension};
use crate::readers::listing::{has_extension, list, name, split_by_folder_name};
use crate::target::{Object, Target};
use crate::{DataError, Dataset, Geometry, Result, Split};

/// Reads what a `data.yaml` describes, or folders of images and labels.
///
/// # Errors
/// If the description is none, or there are no images where it says. What is wrong with single labels is noted as
/// [`faults`](Dataset::faults).
pub fn open(path: &Path) -> Result<Dataset> {
    let description = match yaml_file(path) {
        Some(file) => Description::read(&file)?,
        None => Description::of_folders(path)?,
    };
    let mut gathered = Gathered::default();
    let mut read = HashSet::new();
    for (split, source) in &description.sources {
        for image in images_of(source)? {
            let labels = labels_of(&image);
            add(*split, image, &labels, description.names.as_ref(), &mut gathered);
            read.insert(labels);
        }
    }
    let folders: HashSet<PathBuf> = read.iter().filter_map(|file| file.parent().map(Path::to_owned)).collect();
    let mut folders: Vec<PathBuf> = folders.into_iter().collect();
    folders.sort();
    for file in folders.iter().filter_map(|folder| list(folder).ok()).flat_map(|(files, _)| files) {
        let is_labels = has_extension(&file, &["txt"]) && name(&file) != "classes.txt" && !read.contains(&file);
        if is_labels && file.components().any(|part| part.as_os_str() == "labels") {
            gathered.fault(FaultKind::ImageMissing, &file, None, "has no image");
        }
    }
    match description.names {
        Some(names) => gathered.finish_with(path, names),
        None => gathered.finish(path),
    }
}

/// Whether there is a description, or folders of images and labels.
pub(crate) fn is_here(path: &Path) -> bool {
    yaml_file(path).is_some() || Description::of_folders(path).is_ok()
}

/// The description itself, or the one in a folder: a YAML file that names `train`.
fn yaml_file(path: &Path) -> Option<PathBuf> {
    let describes = |file: &Path| {
        let names_train = |text: String| text.lines().any(|line| line.starts_with("train:"));
        has_extension(file, &["yaml", "yml"]) && fs::read_to_string(file).is_ok_and(names_train)
    };
    if path.is_file() {
        return describes(path).then(|| path.to_owned());
    }
    list(path).ok()?.0.into_iter().find(|file| describes(file))
}

/// Where images are, and what their classes are called.
struct Description {
    sources: Vec<(Split, PathBuf)>,
    names: Option<Vec<String>>,
}

impl Description {
    fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(DataError::read(file))?;
        let wrong = |reason: String| DataError::label(file, None, reason);
        let documents = Yaml::load_from_str(&text)
            .map_err(|error| DataError::label(file, Some(error.marker().line() as u64), error.info().to_string()))?;
        let document = documents.first().ok_or_else(|| wrong("there is nothing in it".into()))?;
        let names = names(document).map_err(wrong)?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let base =
            document.as_mapping_get("path").and_then(Yaml::as_str).map_or(folder.to_owned(), |path| folder.join(path));
        let mut sources = Vec::new();
        for (split, keys) in [
            (Split::Train, &["train"][..]),
            (Split::Validation, &["val", "valid", "validation"]),
            (Split::Test, &["test"]),
        ] {
            let Some(value) = keys.iter().find_map(|key| document.as_mapping_get(key)) else { continue };
            let paths: Vec<&str> = match value.as_sequence() {
                Some(paths) => paths.iter().filter_map(Yaml::as_str).collect(),
                None => value.as_str().into_iter().collect(),
            };
            for path in paths {
                sources.push((
                    split,
                    found(&[&base, folder], path).ok_or_else(|| {
                        wrong(format!("{} is \"{path}\", which is not in {}", keys[0], base.display()))
                    })?,
                ));
            }
        }
        if sources.is_empty() {
            return Err(wrong("it names no train, val or test".into()));
        }
        Ok(Self { sources, names: Some(names) })
    }

    /// Folders of images that have folders of labels in their place.
    fn of_folders(path: &Path) -> Result<Self> {
        let mut sources = Vec::new();
        if let (Some(images), Some(labels)) = (child(path, &["images"]), child(path, &["labels"])) {
            let has_labels = |folder: &Path| {
                list(folder).is_ok_and(|(files, _)| files.iter().any(|file| has_extension(file, &["txt"])))
            };
            let splits = list(&images)?.1.into_iter().filter_map(|folder| {
                Some((split_by_folder_name(&name(&folder))?, folder.clone()))
                    .filter(|_| has_labels(&labels.join(name(&folder))))
            });
            sources.extend(splits);
            if sources.is_empty() && has_labels(&labels) {
                sources.push((Split::Train, images));
            }
        }
        for folder in list(path)?.1 {
            let Some(split) = split_by_folder_name(&name(&folder)) else { continue };
            if child(&folder, &["labels"]).is_some()
                && let Some(images) = child(&folder, &["images"])
            {
                sources.push((split, images));
            }
        }
        if sources.is_empty() {
            let found = "there are no folders images and labels in it".to_string();
            return Err(DataError::NoData { path: path.to_owned(), found, remedy: "name a data.yaml".into() });
        }
        sources.sort();
        let files = ["classes.txt", "labels/classes.txt"].map(|name| path.join(name));
        let names = files.iter().find_map(|file| fs::read_to_string(file).ok());
        let names = names
            .map(|text| text.lines().map(|line| line.trim().to_string()).filter(|name| !name.is_empty()).collect());
        Ok(Self { sources, names })
    }
}

/// The names of the classes: a list, or a mapping from numbers.
fn names(document: &Yaml) -> std::result::Result<Vec<String>, String> {
    let text = |value: &Yaml| match (value.as_str(), value.as_integer()) {
        (Some(text), _) => text.to_string(),
        (_, Some(number)) => number.to_string(),
        _ => value.as_bool().map_or_else(String::new, |value| value.to_string()),
    };
    let value = document.as_mapping_get("names").ok_or("it has no names of classes")?;
    let names: Vec<String> = if let Some(list) = value.as_sequence() {
        list.iter().map(text).collect()
    } else if let Some(mapping) = value.as_mapping() {
        let entries = mapping.iter().map(|(key, value)| {
            let number = key.as_integer().or_else(|| key.as_str().and_then(|key| key.parse().ok()));
            number.map(|number| (number, text(value))).ok_or("a key of names is not a number")
        });
        let entries = entries.collect::<std::result::Result<BTreeMap<i64, String>, _>>()?;
        if entries.keys().zip(0..).any(|(&key, number)| key != number) {
            return Err("the numbers of names must be 0, 1, 2 and so on".into());
        }
        entries.into_values().collect()
    } else {
        return Err("names must be a list".into());
    };
    match document.as_mapping_get("nc").and_then(Yaml::as_integer) {
        Some(count) if count != names.len() as i64 => {
            Err(format!("nc is {count}, and there are {} names", names.len()))
        }
        _ if names.is_empty() => Err("names is empty".into()),
        _ => Ok(names),
    }
}

/// A path that is there, relative to one of some folders. What Roboflow writes leads one folder too high.
fn found(folders: &[&Path], path: &str) -> Option<PathBuf> {
    let lower = path.trim_start_matches("../");
    let candidates = folders.iter().flat_map(|folder| [folder.join(path), folder.join(lower)]);
    candidates.into_iter().find(|candidate| candidate.exists())
}

/// The images of a folder and the folders in it, or those that a text file lists.
fn images_of(source: &Path) -> Result<Vec<PathBuf>> {
    if source.is_file() {
        let text = fs::read_to_string(source).map_err(DataError::read(source))?;
        let folder = source.parent().unwrap_or(Path::new("."));
        let paths = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Ok(paths.map(|line| folder.join(line.trim_start_matches("./"))).collect());
    }
    let (files, folders) = list(source)?;
    let mut images: Vec<PathBuf> = files.into_iter().filter(|file| has_image_extension(file)).collect();
    for folder in folders {
        images.extend(images_of(&folder)?);
    }
    Ok(images)
}

/// The file of an image's labels.
fn labels_of(image: &Path) -> PathBuf {
    let parts: Vec<Component> = image.components().collect();
    let last = parts.iter().rposition(|part| part.as_os_str() == "images");
    let moved = parts.iter().enumerate().map(|(place, part)| match part {
        _ if Some(place) == last => "labels".as_ref(),
        part => part.as_os_str(),
    });
    moved.collect::<PathBuf>().with_extension("txt")
}

fn add(split: Split, image: PathBuf, labels: &Path, names: Option<&Vec<String>>, gathered: &mut Gathered) {
    let Ok(text) = fs::read_to_string(labels) else {
        let reason = "has no file of labels; write an empty one if it shows nothing";
        gathered.fault_of_next(FaultKind::LabelMissing, &image, None, reason);
        gathered.add(split, image, Target::Unlabelled);
        return;
    };
    if !image.is_file() {
        let reason = format!("there is no image {}", image.display());
        return gathered.fault(FaultKind::ImageMissing, labels, None, reason);
    }
    // An image that cannot be read is the data gate's to report.
    let size = image_file::probe(&image).unwrap_or(Geometry::new(1, 1, 1));
    let mut objects = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match object(line, size, names, gathered) {
            Ok(object) => objects.push(object),
            Err((kind, reason)) => gathered.fault_of_next(kind, labels, Some(number as u64 + 1), reason),
        }
    }
    gathered.add(split, image, Target::Objects(objects));
}

fn object(
    line: &str,
    size: Geometry,
    names: Option<&Vec<String>>,
    gathered: &mut Gathered,
) -> std::result::Result<Object, (FaultKind, String)> {
    let malformed = |reason: String| (FaultKind::Malformed, reason);
    let mut words = line.split_whitespace();
    let word = words.next().unwrap_or_default();
    let whole = word.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0);
    let class = whole.ok_or_else(|| malformed(format!("\"{word}\" is not the number of a class")))? as usize;
    let class = match names {
        Some(names) if class < names.len() => class,
        Some(names) => {
            let reason = format!("class {class} is unknown; there are {} classes, from 0 on", names.len());
            return Err((FaultKind::UnknownClass, reason));
        }
        None => gathered.classes.number(&class.to_string()),
    };
    let numbers = words.map(|word| word.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or(word));
    let numbers = numbers.collect::<std::result::Result<Vec<f64>, &str>>();
    let numbers = numbers.map_err(|word| malformed(format!("\"{word}\" is not a number")))?;
    let (width, height) = (size.width as f64, size.height as f64);
    match numbers[..] {
        [x, y, w, h] => Ok(Object::of_box(class, Xyxy::from(Cxcywh::new(x, y, w, h).scale(width, height)))),
        _ if numbers.len() >= 6 && numbers.len().is_multiple_of(2) => {
            let polygon = Polygon::from_coordinates(&numbers).map_err(|error| malformed(error.to_string()))?;
            Ok(Object::of_polygons(class, vec![polygon.scale(width, height)]))
        }
        _ => Err(malformed(format!(
            "a class and {} numbers are neither a box (4) nor an outline (6 or more)",
            numbers.len()
        ))),
    }
}
