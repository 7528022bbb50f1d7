//! Pascal VOC: an XML file of boxes for each image.
//!
//! ```text
//! Annotations/2007_000027.xml   JPEGImages/2007_000027.jpg   ImageSets/Main/train.txt   (the whole)
//! flowers/1.xml  flowers/1.jpg                               train/1.xml  train/1.jpg   (side by side)
//! ```
//!
//! The lists of `ImageSets/Main` name the images of each split by their names without extensions; without lists all
//! images are for training. In annotations of the VOC challenges themselves (`<database>` begins with `The VOC`) boxes
//! count pixels from 1 and include the last; in all others their numbers are taken for the edges of the boxes, as the
//! tools that write them do. Classes are the names that occur, in order.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use gyrus_geometry::{Point, Polygon, Xyxy};
use roxmltree::{Document, Node};

use crate::dataset::FaultKind;
use crate::readers::gathered::{Gathered, ImagesByStem, child, stem};
use crate::readers::listing::{has_extension, list, name, split_by_folder_name};
use crate::target::{Object, Target};
use crate::{DataError, Dataset, Result, Split};

/// Reads a folder of annotations and their images.
///
/// # Errors
/// If there are none, or a list of a split cannot be read. What is wrong with single annotations is noted as
/// [`faults`](Dataset::faults).
pub fn open(path: &Path) -> Result<Dataset> {
    let mut gathered = Gathered::default();
    if let Some(root) = root(path) {
        open_root(&root, &mut gathered)?;
    } else {
        for (split, folder) in side_by_side(path) {
            let images = ImagesByStem::of(&folder)?;
            let stems = annotations(&folder)?.iter().map(|file| stem(file)).collect::<Vec<_>>();
            stems.iter().for_each(|stem| add(split, stem, &folder, &images, &mut gathered));
            add_unlabelled(split, &folder, &stems, &mut gathered)?;
        }
    }
    gathered.finish(path)
}

/// Whether there are annotations of this kind.
pub(crate) fn is_here(path: &Path) -> bool {
    path.is_dir() && (root(path).is_some() || !side_by_side(path).is_empty())
}

/// The folder that has `Annotations` in it: this one, or the only one within it.
fn root(path: &Path) -> Option<PathBuf> {
    let mut folder = path.to_owned();
    for _ in 0..3 {
        if child(&folder, &["Annotations"]).is_some_and(|child| !annotations(&child).unwrap_or_default().is_empty()) {
            return Some(folder);
        }
        let (_, folders) = list(&folder).ok()?;
        let [only] = &folders[..] else { return None };
        folder = only.clone();
    }
    None
}

/// Folders that have annotations and images in them: this one, or those of splits within it.
fn side_by_side(path: &Path) -> Vec<(Split, PathBuf)> {
    let has_both = |folder: &Path| {
        annotations(folder).is_ok_and(|files| files.first().is_some_and(|file| begins_as_annotation(file)))
            && ImagesByStem::of(folder).is_ok_and(|images| !images.is_empty())
    };
    if has_both(path) {
        return vec![(Split::Train, path.to_owned())];
    }
    let Ok((_, folders)) = list(path) else { return vec![] };
    let of_split = |folder: PathBuf| Some((split_by_folder_name(&name(&folder))?, folder));
    folders.into_iter().filter_map(of_split).filter(|(_, folder)| has_both(folder)).collect()
}

fn begins_as_annotation(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes[..bytes.len().min(1000)]).contains("<annotation"))
}

fn annotations(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(list(folder)?.0.into_iter().filter(|file| has_extension(file, &["xml"])).collect())
}

fn open_root(root: &Path, gathered: &mut Gathered) -> Result<()> {
    let folder = child(root, &["Annotations"]).unwrap_or_else(|| root.to_owned());
    let Some(images) = child(root, &["JPEGImages", "images", "PNGImages"]) else {
        let found = "there are Annotations and no JPEGImages".to_string();
        let remedy = "put the images into a folder JPEGImages beside Annotations".into();
        return Err(DataError::NoData { path: root.to_owned(), found, remedy });
    };
    let by_stem = ImagesByStem::of(&images)?;
    let stems: Vec<String> = annotations(&folder)?.iter().map(|file| stem(file)).collect();
    let lists = lists(root)?;
    if lists.is_empty() {
        stems.iter().for_each(|stem| add(Split::Train, stem, &folder, &by_stem, gathered));
        return add_unlabelled(Split::Train, &images, &stems, gathered);
    }
    let mut listed = HashSet::new();
    for (split, file, stems) in lists {
        for stem in stems {
            if !listed.insert(stem.clone()) {
                let reason = format!("{stem} is in the list of another split, or twice in this one");
                gathered.fault(FaultKind::Malformed, &file, None, reason);
                continue;
            }
            add(split, &stem, &folder, &by_stem, gathered);
        }
    }
    let num_others = stems.iter().filter(|stem| !listed.contains(*stem)).count();
    if num_others > 0 {
        gathered.note(format!("{num_others} annotations in {} are in no split's list", folder.display()));
    }
    Ok(())
}

/// The names in the list of each split. `trainval` counts where there is no `train`.
fn lists(root: &Path) -> Result<Vec<(Split, PathBuf, Vec<String>)>> {
    let Some(folder) = child(root, &["ImageSets"]).and_then(|sets| child(&sets, &["Main"])) else { return Ok(vec![]) };
    let mut lists = Vec::new();
    for (split, names) in
        [(Split::Train, ["train", "trainval"]), (Split::Validation, ["val", "valid"]), (Split::Test, ["test", "test"])]
    {
        let files = names.map(|name| folder.join(name).with_extension("txt"));
        let Some(file) = files.into_iter().find(|file| file.is_file()) else { continue };
        let text = fs::read_to_string(&file).map_err(DataError::read(&file))?;
        let stems = text.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect();
        lists.push((split, file, stems));
    }
    Ok(lists)
}

/// Images in a folder that have no annotation.
fn add_unlabelled(split: Split, images: &Path, stems: &[String], gathered: &mut Gathered) -> Result<()> {
    let known: HashSet<&String> = stems.iter().collect();
    let (files, _) = list(images)?;
    for file in files.into_iter().filter(|file| crate::readers::image_file::has_image_extension(file)) {
        if !known.contains(&stem(&file)) {
            gathered.fault_of_next(
                FaultKind::LabelMissing,
                &file,
                None,
                "has no annotation; write one without objects if it shows none",
            );
            gathered.add(split, file, Target::Unlabelled);
        }
    }
    Ok(())
}

fn add(split: Split, stem: &str, folder: &Path, images: &ImagesByStem, gathered: &mut Gathered) {
    let path = folder.join(format!("{stem}.xml"));
    let Some(image) = images.get(stem).cloned() else {
        return gathered.fault(FaultKind::ImageMissing, &path, None, format!("there is no image {stem}"));
    };
    let target = match fs::read_to_string(&path) {
        Err(error) => {
            gathered.fault_of_next(FaultKind::LabelMissing, &image, None, format!("has no annotation: {error}"));
            Target::Unlabelled
        }
        Ok(text) => match Document::parse(&text) {
            Err(error) => {
                let line = u64::from(error.pos().row);
                gathered.fault_of_next(FaultKind::Malformed, &path, Some(line), error.to_string());
                Target::Unlabelled
            }
            Ok(document) => Target::Objects(objects(&document, &path, gathered)),
        },
    };
    gathered.add(split, image, target);
}

fn objects(document: &Document, path: &Path, gathered: &mut Gathered) -> Vec<Object> {
    let root = document.root_element();
    let is_original = root.descendants().any(|node| node.has_tag_name("database") && text(node).starts_with("The VOC"));
    let mut objects = Vec::new();
    for node in root.children().filter(|node| node.has_tag_name("object")) {
        match object(node, is_original, gathered) {
            Ok(object) => objects.push(object),
            Err(reason) => {
                let line = u64::from(document.text_pos_at(node.range().start).row);
                gathered.fault_of_next(FaultKind::Malformed, path, Some(line), reason);
            }
        }
    }
    objects
}

fn object(node: Node, is_original: bool, gathered: &mut Gathered) -> std::result::Result<Object, String> {
    let find = |node: Node<'_, '_>, name: &str| {
        let found = node.children().find(|child| child.has_tag_name(name)).map(|child| text(child).to_string());
        found.ok_or_else(|| format!("<{}> has no <{name}>", node.tag_name().name()))
    };
    let class = find(node, "name").map(|name| name.trim().to_string())?;
    if class.is_empty() {
        return Err("the object has no name".into());
    }
    let class = gathered.classes.number(&class);
    let is_difficult = find(node, "difficult").is_ok_and(|text| text.trim() == "1");
    if let Some(polygon) = node.children().find(|child| child.has_tag_name("polygon")) {
        let points = polygon_points(polygon)?;
        if points.len() > 2 {
            let object = Object::of_polygons(class, vec![Polygon::new(points)]);
            return Ok(Object { is_difficult, ..object });
        }
    }
    let bounds = node.children().find(|child| child.has_tag_name("bndbox")).ok_or("the object has no <bndbox>")?;
    let number = |name: &str| -> std::result::Result<f64, String> {
        let text = find(bounds, name)?;
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| format!("<{name}> is \"{text}\", which is no number"))
    };
    let before = if is_original { 1.0 } else { 0.0 };
    let bounds = Xyxy::new(number("xmin")? - before, number("ymin")? - before, number("xmax")?, number("ymax")?);
    Ok(Object { is_difficult, ..Object::of_box(class, bounds) })
}

/// `<x1>`, `<y1>`, `<x2>`, ...
fn polygon_points(node: Node) -> std::result::Result<Vec<Point>, String> {
    let number = |name: String| -> std::result::Result<Option<f64>, String> {
        let Some(child) = node.children().find(|child| child.has_tag_name(name.as_str())) else { return Ok(None) };
        let number = text(child).trim().parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| format!("<{name}> is no number"))
    };
    let mut points = Vec::new();
    while let (Some(x), Some(y)) =
        (number(format!("x{}", points.len() + 1))?, number(format!("y{}", points.len() + 1))?)
    {
        points.push(Point { x, y });
    }
    Ok(points)
}

fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}
