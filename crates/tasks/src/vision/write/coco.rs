//! COCO's JSON.

use std::path::PathBuf;

use gyrus_geometry::{Region, Xywh};
use serde_json::{Map, Value, json};

use super::{Files, Format, Said, unfit, write_file};
use crate::TaskError;
use crate::vision::{Answer, Found};

/// Two files: `coco.json`, a data set of `images`, `annotations` (each with its `score`) and `categories`; and
/// `coco_results.json`, the list of results that COCO's tools load beside a data set of truths. Categories are numbered
/// from 1 in the order of the classes. The identifier of an image is the number that its file is called by, as COCO's
/// own are; where not all images have one, their places from 1 on.
///
/// # Source
/// <https://cocodataset.org/#format-data>, <https://cocodataset.org/#format-results>.
pub(super) struct Coco<'a> {
    folder: PathBuf,
    classes: &'a [String],
    images: Vec<Value>,
    /// Annotations, whose image is its place until all images are known.
    annotations: Vec<(usize, Map<String, Value>)>,
}

impl<'a> Coco<'a> {
    pub(super) fn new(folder: PathBuf, classes: &'a [String]) -> Self {
        Self { folder, classes, images: vec![], annotations: vec![] }
    }

    /// The identifier of each image.
    fn identifiers(&self) -> Vec<u64> {
        let number = |image: &Value| {
            let stem = PathBuf::from(image["file_name"].as_str()?).file_stem()?.to_str()?.to_owned();
            stem.parse::<u64>().ok()
        };
        let numbers: Option<Vec<u64>> = self.images.iter().map(number).collect();
        let is_unique = |numbers: &Vec<u64>| {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            sorted.windows(2).all(|pair| pair[0] != pair[1])
        };
        numbers.filter(is_unique).unwrap_or_else(|| (1..=self.images.len() as u64).collect())
    }
}

impl Files for Coco<'_> {
    fn write(&mut self, said: &Said) -> Result<(), TaskError> {
        let Answer::Objects(objects) = said.answer else { return Err(unfit(Format::Coco, said.answer)) };
        let place = self.images.len();
        let name = said.name.display().to_string().replace('\\', "/");
        self.images.push(json!({ "file_name": name, "width": said.size().width, "height": said.size().height }));
        self.annotations.extend(objects.iter().map(|found| (place, annotation(found))));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), TaskError> {
        let identifiers = self.identifiers();
        for (image, id) in self.images.iter_mut().zip(&identifiers) {
            image["id"] = json!(id);
        }
        for (place, annotation) in &mut self.annotations {
            annotation.insert("image_id".into(), json!(identifiers[*place]));
        }
        let results: Vec<Value> = self.annotations.iter().map(|(_, annotation)| annotation.clone().into()).collect();
        let annotations = (1..).zip(&self.annotations).map(|(id, (_, annotation))| {
            let mut whole = Map::from_iter([("id".to_owned(), json!(id)), ("iscrowd".to_owned(), json!(0))]);
            whole.extend(annotation.clone());
            Value::from(whole)
        });
        let categories = (1..).zip(self.classes).map(|(id, name)| json!({ "id": id, "name": name }));
        let dataset = json!({
            "images": self.images,
            "annotations": annotations.collect::<Vec<_>>(),
            "categories": categories.collect::<Vec<_>>(),
        });
        write_file(&self.folder.join("coco.json"), format!("{dataset}\n").as_bytes())?;
        write_file(&self.folder.join("coco_results.json"), format!("{}\n", Value::from(results)).as_bytes())
    }
}

fn annotation(found: &Found) -> Map<String, Value> {
    let Xywh { left, top, width, height } = Xywh::from(found.bounds);
    let mut annotation = json!({
        "category_id": found.class + 1,
        "bbox": [left, top, width, height],
        "area": found.mask.as_ref().map_or(found.bounds.area(), Region::area),
        "score": found.score,
    });
    if let Some(mask) = &found.mask {
        annotation["segmentation"] = json!({ "size": [mask.height(), mask.width()], "counts": mask.compressed() });
    }
    annotation.as_object().cloned().unwrap_or_default()
}
