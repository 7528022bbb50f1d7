//! Classifying files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use gyrus_data::{DataError, Preprocess};
use serde_json::json;

use super::classifier::{Description, Model, classify};
use crate::{Prediction, TaskError};

/// How many classes are named.
const TOP: usize = 3;

/// The extensions of image files.
const EXTENSIONS: [&str; 12] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff", "pbm", "pgm", "ppm", "pnm"];

/// Classifies a file, all image files of a folder, or an image on standard input.
pub fn predict(
    description: &Description,
    model: &mut Model,
    source: &str,
    emit: &mut dyn FnMut(Prediction),
) -> Result<(), TaskError> {
    let mut classify = classify();
    let preprocess = &description.preprocess;
    let mut one = |name: &str, pixels: Vec<f32>| {
        let Preprocess { channels, size: [height, width], .. } = *preprocess;
        let probabilities = classify.probabilities(model, [1, channels, height, width], &pixels);
        emit(probabilities.read(|numbers: &[f32]| prediction(name, numbers, &description.classes)));
    };
    if source == "-" {
        let mut bytes = vec![];
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| DataError::Read { path: PathBuf::from("standard input"), source: error })?;
        one("-", preprocess.load_bytes(&bytes, "standard input")?);
        return Ok(());
    }
    // One file that cannot be read does not keep the others from being classified.
    let mut first_error = None;
    for path in files(Path::new(source))? {
        match preprocess.load_file(&path) {
            Ok(pixels) => one(&path.display().to_string(), pixels),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
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
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_lowercase();
            if path.is_dir() {
                pending.push(path);
            } else if EXTENSIONS.contains(&extension.as_str()) {
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

fn prediction(source: &str, probabilities: &[f32], classes: &[String]) -> Prediction {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let top = &order[..order.len().min(TOP)];
    let listed: Vec<String> =
        top.iter().map(|&class| format!("{} {:.1}%", classes[class], 100.0 * probabilities[class])).collect();
    let all: serde_json::Map<String, serde_json::Value> =
        order.iter().map(|&class| (classes[class].clone(), json!(probabilities[class]))).collect();
    Prediction {
        text: format!("{source}: {}", listed.join(", ")),
        json: json!({
            "source": source,
            "class": classes[order[0]],
            "probability": probabilities[order[0]],
            "probabilities": all,
        }),
    }
}
