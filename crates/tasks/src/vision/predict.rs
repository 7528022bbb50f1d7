//! Applying a model to files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use gyrus_data::DataError;
use gyrus_data::readers::image_file;
use serde_json::{Map, Value, json};

use super::{Answer, Description, Found, Model, Predictor, VisionTask};
use crate::{Prediction, TaskError};

/// How many classes are named.
const TOP: usize = 3;

/// From this probability on a class of several is named.
const THRESHOLD: f32 = 0.5;

/// Applies a model to a file, all image files of a folder, or an image on standard input.
pub fn predict<V: VisionTask>(
    description: &Description<V::Options>,
    model: &mut Model<V>,
    source: &str,
    emit: &mut dyn FnMut(Prediction),
) -> Result<(), TaskError> {
    let channels = if description.preprocess.channels == 1 { 1 } else { 3 };
    let mut predictor = Predictor::<V>::new(description, false);
    let mut one = |name: &str, mut answer: Answer| {
        answer.confident(description.confidence.unwrap_or(0.0));
        emit(prediction(name, &answer, &description.classes));
    };
    if source == "-" {
        let (mut bytes, name) = (vec![], Path::new("standard input"));
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| DataError::Read { path: name.to_owned(), source: error })?;
        let read = |_: usize, image: &mut _| image_file::decode(&bytes, name, channels, image);
        return predictor.each(model, 1, &read, |answered| {
            one("-", answered?.answer);
            Ok(())
        });
    }
    let files = files(Path::new(source))?;
    // One file that cannot be read does not keep the others from being answered.
    let mut first_error = None;
    let read = |number: usize, image: &mut _| image_file::read(&files[number], channels, image);
    predictor.each::<TaskError>(model, files.len(), &read, |answered| {
        match answered {
            Ok(answered) => one(&files[answered.number].display().to_string(), answered.answer),
            Err(error) => first_error = first_error.take().or(Some(error)),
        }
        Ok(())
    })?;
    first_error.map_or(Ok(()), |error| Err(error.into()))
}

/// A file, or the image files of a folder and its folders, in the order of their names.
fn files(source: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let read = |path: &Path| {
        let path = path.to_owned();
        move |error| DataError::Read { path, source: error }
    };
    if !fs::metadata(source).map_err(read(source))?.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    let (mut found, mut pending) = (vec![], vec![source.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).map_err(read(&folder))? {
            let path = entry.map_err(read(&folder))?.path();
            if path.is_dir() {
                pending.push(path);
            } else if image_file::has_image_extension(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        let (found, remedy) = ("there are no image files in it".into(), "name a folder with images".into());
        return Err(DataError::NoData { path: source.to_owned(), found, remedy }.into());
    }
    Ok(found)
}

/// An answer for a person and for a program.
fn prediction(source: &str, answer: &Answer, classes: &[String]) -> Prediction {
    let (text, facts) = match answer {
        Answer::Class(probabilities) => of_class(probabilities, classes),
        Answer::Classes(probabilities) => of_classes(probabilities, classes),
        Answer::Objects(objects) => of_objects(objects, classes),
        Answer::Pixels(map) => {
            let shares = (0..classes.len()).map(|class| {
                let count = map.labels.iter().filter(|&&label| label as usize == class).count();
                (class, count as f64 / map.labels.len().max(1) as f64)
            });
            let shares: Vec<(usize, f64)> = shares.filter(|(_, share)| *share > 0.0).collect();
            let text = shares.iter().map(|(class, share)| format!("{} {:.1}%", classes[*class], 100.0 * share));
            let all: Map<String, Value> =
                shares.iter().map(|(class, share)| (classes[*class].clone(), json!(share))).collect();
            let text = text.collect::<Vec<_>>().join(", ");
            (text, Map::from_iter([("shares".into(), all.into())]))
        }
    };
    let json: Map<String, Value> = [("source".into(), json!(source))].into_iter().chain(facts).collect();
    Prediction { text: format!("{source}: {text}"), json: json.into() }
}

fn of_class(probabilities: &[f32], classes: &[String]) -> (String, Map<String, Value>) {
    let order = by_probability(probabilities);
    let named = |&class: &usize| format!("{} {:.1}%", classes[class], 100.0 * probabilities[class]);
    let listed: Vec<String> = order.iter().take(TOP).map(named).collect();
    let facts = [
        ("class".into(), json!(classes[order[0]])),
        ("probability".into(), json!(probabilities[order[0]])),
        ("probabilities".into(), all(probabilities, classes, &order)),
    ];
    (listed.join(", "), Map::from_iter(facts))
}

fn of_classes(probabilities: &[f32], classes: &[String]) -> (String, Map<String, Value>) {
    let order = by_probability(probabilities);
    let told: Vec<usize> = order.iter().copied().filter(|&class| probabilities[class] >= THRESHOLD).collect();
    let named = |&class: &usize| format!("{} {:.1}%", classes[class], 100.0 * probabilities[class]);
    let listed: Vec<String> = told.iter().map(named).collect();
    let names: Vec<&String> = told.iter().map(|&class| &classes[class]).collect();
    let facts = [("classes".into(), json!(names)), ("probabilities".into(), all(probabilities, classes, &order))];
    (if listed.is_empty() { "none".into() } else { listed.join(", ") }, Map::from_iter(facts))
}

fn of_objects(objects: &[Found], classes: &[String]) -> (String, Map<String, Value>) {
    let counts = (0..classes.len()).map(|class| (class, objects.iter().filter(|found| found.class == class).count()));
    let listed: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(class, count)| format!("{count} {}", classes[class])).collect();
    let object = |found: &Found| {
        let bounds = [found.bounds.left, found.bounds.top, found.bounds.right, found.bounds.bottom];
        let mut object = json!({ "class": classes[found.class], "score": found.score, "box": bounds });
        if let Some(mask) = &found.mask {
            object["mask"] = json!({ "size": [mask.height(), mask.width()], "counts": mask.compressed() });
        }
        object
    };
    let all: Vec<Value> = objects.iter().map(object).collect();
    (
        if listed.is_empty() { "nothing".into() } else { listed.join(", ") },
        Map::from_iter([("objects".into(), all.into())]),
    )
}

fn by_probability(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

fn all(probabilities: &[f32], classes: &[String], order: &[usize]) -> Value {
    order.iter().map(|&class| (classes[class].clone(), json!(probabilities[class]))).collect::<Map<_, _>>().into()
}
