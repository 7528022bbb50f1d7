//! COCO: one JSON file of boxes and shapes for all images of a split.
//!
//! ```text
//! annotations/instances_train2017.json   train2017/000000000009.jpg     (COCO's own)
//! train/_annotations.coco.json           train/1.jpg                    (beside the images)
//! ```
//!
//! The name of the file, or of its folder, tells the split. Images are looked for beside the file and in the folders
//! around it. Outlines, run lengths (compressed or not) and `iscrowd` are read. Classes are the categories in the order
//! of their identifiers; images without annotations show nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use gyrus_geometry::{Polygon, RunLengthMask, Xywh, Xyxy};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::dataset::FaultKind;
use crate::readers::gathered::Gathered;
use crate::readers::listing::{has_extension, list, name, split_by_file_name, split_by_folder_name};
use crate::target::{Object, Shape, Target};
use crate::{DataError, Dataset, Result, Split};

#[derive(Deserialize)]
struct Annotations {
    images: Vec<Image>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    #[serde(default)]
    width: Option<usize>,
    #[serde(default)]
    height: Option<usize>,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    id: Option<i64>,
    image_id: u64,
    category_id: i64,
    #[serde(default)]
    bbox: Option<Vec<f64>>,
    #[serde(default)]
    segmentation: Option<Segmentation>,
    #[serde(default)]
    iscrowd: u8,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs { counts: Counts, size: [usize; 2] },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u64>),
    Compressed(String),
}

/// Reads a JSON file, or those of a folder, of its `annotations` and of the folders of splits in it.
///
/// # Errors
/// If there is none, one is not what the format asks for, or its images are not to be found. What is wrong with single
/// annotations is noted as [`faults`](Dataset::faults).
pub fn open(path: &Path) -> Result<Dataset> {
    // A file that was named is read, whatever it looks like.
    let files = if path.is_file() { vec![(split_of(path), path.to_owned())] } else { files(path) };
    if let Some(two) = files.windows(2).find(|two| two[0].0 == two[1].0) {
        let candidates = two.iter().map(|(split, file)| format!("{split} samples from {}", file.display())).collect();
        let remedy = "name one of the files, or leave one file a split".into();
        return Err(DataError::Ambiguous { path: path.to_owned(), candidates, remedy });
    }
    let mut read = Vec::new();
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    for (split, file) in files {
        let source = BufReader::with_capacity(1 << 16, File::open(&file).map_err(DataError::read(&file))?);
        let annotations: Annotations = serde_json::from_reader(source).map_err(|error| {
            DataError::label(&file, Some(error.line() as u64), format!("is not COCO's JSON: {error}"))
        })?;
        for Category { id, name } in &annotations.categories {
            if let Some(other) = names.insert(*id, name.clone()).filter(|other| other != name) {
                let reason = format!("category {id} is \"{name}\" here and \"{other}\" before");
                return Err(DataError::label(&file, None, reason));
            }
        }
        read.push((split, file, annotations));
    }
    let classes: HashMap<i64, usize> = names.keys().copied().zip(0..).collect();
    let mut gathered = Gathered::default();
    for (split, file, annotations) in read {
        add(split, &file, annotations, &classes, &mut gathered)?;
    }
    gathered.finish_with(path, names.into_values().collect())
}

/// Whether there is such a file.
pub(crate) fn is_here(path: &Path) -> bool {
    !files(path).is_empty()
}

fn files(path: &Path) -> Vec<(Split, PathBuf)> {
    let mut files = if path.is_file() { vec![path.to_owned()] } else { json_files(path) };
    if path.is_dir() {
        for folder in list(path).map(|(_, folders)| folders).unwrap_or_default() {
            let name = name(&folder);
            if name == "annotations" || split_by_folder_name(&name).is_some() {
                files.extend(json_files(&folder));
            }
        }
    }
    let mut files: Vec<(Split, PathBuf)> =
        files.into_iter().filter(|file| is_annotations(file)).map(|file| (split_of(&file), file)).collect();
    files.sort();
    files
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let files = list(folder).map(|(files, _)| files).unwrap_or_default();
    files.into_iter().filter(|file| has_extension(file, &["json"])).collect()
}

fn split_of(file: &Path) -> Split {
    let folder = file.parent().map(name).unwrap_or_default();
    split_by_file_name(&name(file)).or_else(|| split_by_folder_name(&folder)).unwrap_or(Split::Train)
}

/// Whether a file has images, categories and annotations of objects.
fn is_annotations(file: &Path) -> bool {
    /// What tells objects from captions and keypoints.
    #[derive(Deserialize)]
    struct Outline {
        #[serde(rename = "images")]
        _images: Vec<IgnoredAny>,
        #[serde(rename = "categories")]
        _categories: Vec<IgnoredAny>,
    }
    has_extension(file, &["json"])
        && !name(file).starts_with("person_keypoints")
        && File::open(file).is_ok_and(|file| serde_json::from_reader::<_, Outline>(BufReader::new(file)).is_ok())
}

fn add(
    split: Split,
    file: &Path,
    annotations: Annotations,
    classes: &HashMap<i64, usize>,
    gathered: &mut Gathered,
) -> Result<()> {
    let folder = folder_of_images(file, &annotations.images)?;
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut objects: Vec<Vec<Object>> = vec![Vec::new(); annotations.images.len()];
    let mut faults: Vec<Vec<(FaultKind, String)>> = vec![Vec::new(); annotations.images.len()];
    for (place, image) in annotations.images.iter().enumerate() {
        if places.insert(image.id, place).is_some() {
            return Err(DataError::label(file, None, format!("two images have the id {}", image.id)));
        }
    }
    for annotation in annotations.annotations {
        let id = annotation.id.map_or_else(|| "an annotation".to_string(), |id| format!("annotation {id}"));
        let Some(&place) = places.get(&annotation.image_id) else {
            let reason = format!("{id} is of image {}, which is not listed", annotation.image_id);
            gathered.fault(FaultKind::ImageMissing, file, None, reason);
            continue;
        };
        let Some(&class) = classes.get(&annotation.category_id) else {
            let reason = format!("{id} is of category {}, which is not listed", annotation.category_id);
            faults[place].push((FaultKind::UnknownClass, reason));
            continue;
        };
        match object(class, annotation, &annotations.images[place]) {
            Ok(object) => objects[place].push(object),
            Err(reason) => faults[place].push((FaultKind::Malformed, format!("{id}: {reason}"))),
        }
    }
    for ((image, objects), faults) in annotations.images.into_iter().zip(objects).zip(faults) {
        let path = folder.join(&image.file_name);
        if !path.is_file() {
            let reason = format!("there is no image {}", path.display());
            gathered.fault(FaultKind::ImageMissing, file, None, reason);
            continue;
        }
        let sample = gathered.add(split, path, Target::Objects(objects));
        faults.into_iter().for_each(|(kind, reason)| gathered.fault_of(sample, kind, file, reason));
    }
    Ok(())
}

fn object(class: usize, annotation: Annotation, image: &Image) -> std::result::Result<Object, String> {
    let shape = match annotation.segmentation {
        Some(Segmentation::Polygons(outlines)) if !outlines.is_empty() => {
            let outlines = outlines.iter().filter(|outline| outline.len() >= 6);
            let polygons =
                outlines.map(|outline| Polygon::from_coordinates(outline).map_err(|error| error.to_string()));
            Shape::Polygons(polygons.collect::<std::result::Result<_, String>>()?)
        }
        Some(Segmentation::Runs { counts, size: [height, width] }) => {
            let is_other = |length: usize, known: Option<usize>| known.is_some_and(|known| known != length);
            if is_other(height, image.height) || is_other(width, image.width) {
                return Err(format!("its mask is {height}x{width} (height x width), its image is not"));
            }
            let runs = match counts {
                Counts::Plain(counts) => RunLengthMask::from_runs(width, height, &counts),
                Counts::Compressed(text) => RunLengthMask::from_compressed(width, height, &text),
            };
            Shape::Runs(runs.map_err(|error| error.to_string())?)
        }
        _ => Shape::Box,
    };
    let shape = if matches!(&shape, Shape::Polygons(polygons) if polygons.is_empty()) { Shape::Box } else { shape };
    let bounds = match (&annotation.bbox, &shape) {
        (Some(numbers), _) => match numbers[..] {
            [left, top, width, height] => Xyxy::from(Xywh::new(left, top, width, height)),
            _ => return Err(format!("bbox has {} numbers and not 4", numbers.len())),
        },
        (None, Shape::Runs(runs)) => runs.bounding_box(),
        (None, Shape::Polygons(polygons)) => Object::of_polygons(class, polygons.clone()).bounds,
        (None, Shape::Box) => return Err("it has neither bbox nor segmentation".into()),
    };
    Ok(Object { shape, is_crowd: annotation.iscrowd != 0, ..Object::of_box(class, bounds) })
}

/// The folder from which the names of images lead to files: of those around the annotations the first that has one of
/// the first few images.
fn folder_of_images(file: &Path, images: &[Image]) -> Result<PathBuf> {
    let beside = file.parent().unwrap_or(Path::new(".")).to_owned();
    let mut folders = vec![beside.clone()];
    folders.extend(beside.parent().map(Path::to_owned));
    let split = split_of(file);
    for depth in 0..2 {
        let within: Vec<PathBuf> =
            folders.iter().flat_map(|folder| list(folder).map(|(_, folders)| folders).unwrap_or_default()).collect();
        let (fitting, others): (Vec<_>, Vec<_>) =
            within.into_iter().partition(|folder| split_by_file_name(&name(folder)) == Some(split));
        folders
            .extend(fitting.into_iter().chain(others).filter(|folder| depth == 0 || folder.components().count() < 64));
    }
    let probes = || images.iter().take(16).map(|image| &image.file_name);
    let found = folders.into_iter().find(|folder| probes().any(|name| folder.join(name).is_file()));
    found.ok_or_else(|| DataError::NoData {
        path: file.to_owned(),
        found: match images.first() {
            Some(image) => {
                format!("its images ({}, ...) are not beside it nor in the folders around it", image.file_name)
            }
            None => "it lists no images".into(),
        },
        remedy: "put the images into a folder beside the annotations".into(),
    })
}
