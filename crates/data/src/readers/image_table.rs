//! Tables of image files with their labels: CSV, or a JSON object a line.
//!
//! ```text
//! file,label            file_name,labels,split         image_path,xmin,ymin,xmax,ymax,label
//! 1.jpg,cat             1.jpg,cat|indoors,train        1.jpg,12,30,80,95,cat
//! ```
//!
//! | column | names |
//! | --- | --- |
//! | the file, relative to the table | `file`, `file_name`, `filename`, `image`, `image_path`, `path`, ... |
//! | its class, if it has one | `label`, `class`, `category`, `target` |
//! | its classes, if it may have several, separated by `\|` | `labels`, `classes`, `categories`, `tags` |
//! | the edges of a box, one box a line, in pixels | `xmin`, `ymin`, `xmax`, `ymax` |
//! | the split | `split` |
//!
//! In lines of JSON several classes are a list, and boxes may be `"objects": {"bbox": [[x, y, width, height], ...],
//! "categories": [...]}`, as in `metadata.jsonl` of Hugging Face. Without a column of splits the name of the table tells
//! the split. A line with a file and empty edges is an image without objects.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::csv::ByteRecord;
use gyrus_geometry::{Xywh, Xyxy};
use serde_json::Value;

use crate::dataset::FaultKind;
use crate::readers::csv::{LineReader, has_csv_extension};
use crate::readers::gathered::Gathered;
use crate::readers::listing::{has_extension, list, name, split_by_file_name, split_by_folder_name};
use crate::target::{Object, Target};
use crate::{DataError, Dataset, Result, Split};

const FILE: [&str; 9] =
    ["file", "file_name", "filename", "image", "image_path", "image_file", "path", "filepath", "image_name"];
const LABEL: [&str; 4] = ["label", "class", "category", "target"];
const LABELS: [&str; 4] = ["labels", "classes", "categories", "tags"];
const EDGES: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// Reads a table, or those of a folder and of the folders of splits in it.
///
/// # Errors
/// If there is none, or a line is not what the others are. Files that are not there and boxes that are no numbers are
/// noted as [`faults`](Dataset::faults).
pub fn open(path: &Path) -> Result<Dataset> {
    let mut gathered = Gathered::default();
    let mut samples = Samples::default();
    for table in tables(path) {
        if has_csv_extension(&table) {
            read_csv(&table, &mut samples, &mut gathered)?;
        } else {
            read_json_lines(&table, &mut samples, &mut gathered)?;
        }
    }
    for sample in samples.list {
        for (kind, table, line, reason) in sample.faults {
            gathered.fault_of_next(kind, &table, Some(line), reason);
        }
        gathered.add(sample.split, sample.path, sample.target);
    }
    gathered.finish(path)
}

/// Whether a file is such a table, or a folder has one.
pub(crate) fn is_here(path: &Path) -> bool {
    !tables(path).is_empty()
}

fn tables(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return if is_table(path) { vec![path.to_owned()] } else { vec![] };
    }
    let Ok((mut files, folders)) = list(path) else { return vec![] };
    let of_splits = folders.iter().filter(|folder| split_by_folder_name(&name(folder)).is_some());
    files.extend(of_splits.flat_map(|folder| list(folder).map(|(files, _)| files).unwrap_or_default()));
    files.into_iter().filter(|file| is_table(file)).collect()
}

fn is_table(file: &Path) -> bool {
    if has_csv_extension(file) {
        return LineReader::open(file).and_then(|mut reader| columns(&mut reader, file)).is_ok();
    }
    has_extension(file, &["jsonl", "ndjson"])
        && fs::read_to_string(file).is_ok_and(|text| {
            let first = text.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok());
            first.is_some_and(|value| FILE.iter().any(|key| value.get(key).is_some_and(Value::is_string)))
        })
}

/// What a line says of an image.
enum Label {
    One(String),
    Several(Vec<String>),
    /// The class and the box of an object; nothing for an image without objects.
    Object(Option<(String, Xyxy)>),
    Missing,
}

/// Samples by their files: several lines may be of one.
#[derive(Default)]
struct Samples {
    list: Vec<Sample>,
    places: HashMap<PathBuf, usize>,
}

struct Sample {
    split: Split,
    path: PathBuf,
    target: Target,
    faults: Vec<(FaultKind, PathBuf, u64, String)>,
}

impl Samples {
    fn add(&mut self, table: &Path, line: u64, file: &str, split: Split, label: Label, gathered: &mut Gathered) {
        let path = table.parent().unwrap_or(Path::new(".")).join(file);
        let is_known = self.places.contains_key(&path);
        if !is_known && !path.is_file() {
            let reason = format!("there is no image {}", path.display());
            return gathered.fault(FaultKind::ImageMissing, table, Some(line), reason);
        }
        let place = *self.places.entry(path.clone()).or_insert_with(|| {
            self.list.push(Sample { split, path, target: Target::Unlabelled, faults: Vec::new() });
            self.list.len() - 1
        });
        let Sample { target, faults, split: known, .. } = &mut self.list[place];
        if *known != split {
            faults.push((FaultKind::Malformed, table.to_owned(), line, format!("{file} is in two splits")));
        }
        let mut number = |name: &str| gathered.classes.number(name);
        match (label, &mut *target) {
            (Label::Object(object), Target::Unlabelled | Target::Objects(_)) => {
                let object = object.map(|(name, bounds)| Object::of_box(number(&name), bounds));
                match target {
                    Target::Objects(objects) => objects.extend(object),
                    _ => *target = Target::Objects(object.into_iter().collect()),
                }
            }
            (Label::One(name), Target::Unlabelled) => *target = Target::Class(number(&name)),
            (Label::Several(names), Target::Unlabelled) => {
                let mut classes: Vec<usize> = names.iter().map(|name| number(name)).collect();
                classes.sort_unstable();
                classes.dedup();
                *target = Target::Classes(classes);
            }
            (Label::One(name), Target::Class(class)) if *class == number(&name) => {}
            (Label::Missing, _) => {
                faults.push((FaultKind::LabelMissing, table.to_owned(), line, format!("{file} has no label")));
            }
            _ => {
                faults.push((FaultKind::Malformed, table.to_owned(), line, format!("{file} has another label before")))
            }
        }
    }
}

/// Which column is what.
struct Columns {
    count: usize,
    file: usize,
    label: Option<usize>,
    labels: Option<usize>,
    edges: Option<[usize; 4]>,
    split: Option<usize>,
}

fn columns(reader: &mut LineReader, path: &Path) -> Result<Columns> {
    let mut record = ByteRecord::new();
    let line = reader.next(&mut record)?.unwrap_or(1);
    let names: Vec<String> = record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_lowercase()).collect();
    let find = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let edges = EDGES.map(|edge| find(&[edge]));
    let edges = match edges {
        [Some(left), Some(top), Some(right), Some(bottom)] => Some([left, top, right, bottom]),
        _ => None,
    };
    let (file, label, labels) = (find(&FILE), find(&LABEL), find(&LABELS));
    match file {
        Some(file) if label.is_some() || labels.is_some() => {
            Ok(Columns { count: names.len(), file, label, labels, edges, split: find(&["split"]) })
        }
        _ => {
            let reason =
                "its columns are no file (file, image, path, ...) and label (label, class, labels, ...)".into();
            Err(DataError::Csv { path: path.to_owned(), line, reason })
        }
    }
}

fn read_csv(table: &Path, samples: &mut Samples, gathered: &mut Gathered) -> Result<()> {
    let mut reader = LineReader::open(table)?;
    let columns = columns(&mut reader, table)?;
    let split_of_table = split_of_table(table);
    let mut record = ByteRecord::new();
    while let Some(line) = reader.next(&mut record)? {
        let wrong = |reason| DataError::Csv { path: table.to_owned(), line, reason };
        if record.len() != columns.count {
            return Err(wrong(format!("{} columns where there should be {}", record.len(), columns.count)));
        }
        let cell = |column: usize| String::from_utf8_lossy(&record[column]).trim().to_string();
        let split = match columns.split.map(cell) {
            Some(text) => split_by_folder_name(&text).ok_or_else(|| wrong(format!("\"{text}\" is no split")))?,
            None => split_of_table,
        };
        let file = cell(columns.file);
        let name = columns.label.map(cell).filter(|name| !name.is_empty());
        let label = match (columns.edges, name, columns.labels) {
            (Some(edges), name, _) => match bounds(edges.map(cell)) {
                Ok(None) => Label::Object(None),
                Ok(Some(bounds)) => name.map_or(Label::Missing, |name| Label::Object(Some((name, bounds)))),
                Err(reason) => {
                    samples.add(table, line, &file, split, Label::Object(None), gathered);
                    if let Some(sample) = samples.list.last_mut() {
                        sample.faults.push((FaultKind::Malformed, table.to_owned(), line, reason));
                    }
                    continue;
                }
            },
            (None, Some(name), _) => Label::One(name),
            (None, None, Some(labels)) => {
                let text = cell(labels);
                let names = text.split(['|', ';']).map(str::trim).filter(|name| !name.is_empty());
                Label::Several(names.map(String::from).collect())
            }
            (None, None, None) => Label::Missing,
        };
        samples.add(table, line, &file, split, label, gathered);
    }
    Ok(())
}

/// A box of its edges; nothing if all are empty.
fn bounds(edges: [String; 4]) -> std::result::Result<Option<Xyxy>, String> {
    if edges.iter().all(String::is_empty) {
        return Ok(None);
    }
    let mut numbers = [0.0; 4];
    for (number, text) in numbers.iter_mut().zip(&edges) {
        let parsed = text.parse::<f64>().ok().filter(|number| number.is_finite());
        *number = parsed.ok_or_else(|| format!("\"{text}\" is no edge of a box"))?;
    }
    let [left, top, right, bottom] = numbers;
    Ok(Some(Xyxy::new(left, top, right, bottom)))
}

fn split_of_table(table: &Path) -> Split {
    let folder = table.parent().map(name).unwrap_or_default();
    split_by_file_name(&name(table)).or_else(|| split_by_folder_name(&folder)).unwrap_or(Split::Train)
}

fn read_json_lines(table: &Path, samples: &mut Samples, gathered: &mut Gathered) -> Result<()> {
    let text = fs::read_to_string(table).map_err(DataError::read(table))?;
    let split_of_table = split_of_table(table);
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let wrong = |reason: String| DataError::label(table, Some(line), reason);
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let find = |keys: &[&str]| keys.iter().find_map(|key| value.get(key)).filter(|value| !value.is_null());
        let file = find(&FILE).and_then(Value::as_str).ok_or_else(|| wrong("it names no file".into()))?;
        let split = match find(&["split"]).and_then(Value::as_str) {
            Some(text) => split_by_folder_name(text).ok_or_else(|| wrong(format!("\"{text}\" is no split")))?,
            None => split_of_table,
        };
        if let Some(objects) = value.get("objects") {
            samples.add(table, line, file, split, Label::Object(None), gathered);
            for object in json_objects(objects).map_err(wrong)? {
                samples.add(table, line, file, split, Label::Object(Some(object)), gathered);
            }
            continue;
        }
        let label = match (find(&LABEL), find(&LABELS)) {
            (_, Some(Value::Array(names))) | (Some(Value::Array(names)), _) => Label::Several(
                names.iter().map(json_name).collect::<Option<_>>().ok_or_else(|| wrong("a label is no word".into()))?,
            ),
            (Some(value), _) => json_name(value).map_or(Label::Missing, Label::One),
            _ => Label::Missing,
        };
        samples.add(table, line, file, split, label, gathered);
    }
    Ok(())
}

fn json_name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn json_objects(objects: &Value) -> std::result::Result<Vec<(String, Xyxy)>, String> {
    let list = |keys: [&str; 3]| keys.iter().find_map(|key| objects.get(key)).and_then(Value::as_array);
    let boxes = list(["bbox", "bboxes", "boxes"]).ok_or("objects have no bbox")?;
    let names = list(["categories", "category", "label"]).ok_or("objects have no categories")?;
    if boxes.len() != names.len() {
        return Err(format!("{} boxes and {} categories", boxes.len(), names.len()));
    }
    let object = |(bounds, name): (&Value, &Value)| {
        let numbers: Option<Vec<f64>> = bounds.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        match (numbers.as_deref(), json_name(name)) {
            (Some(&[left, top, width, height]), Some(name)) => {
                Ok((name, Xyxy::from(Xywh::new(left, top, width, height))))
            }
            _ => Err(format!("{bounds} with {name} is no box with a category")),
        }
    };
    boxes.iter().zip(names).map(object).collect()
}
