//! `gyrus explain`.

use std::path::PathBuf;

use gyrus_checkpoint::write_atomically;
use gyrus_data::ImageBuffer;
use gyrus_data::transforms::Scratch;
use gyrus_draw::HeatMap;
use gyrus_tensor::{Device, Module, Rng, Tensor};
use serde_json::json;

use super::{Attribution, Check, Look, Method, check};
use crate::vision::predict::read;
use crate::vision::{Description, Model, VisionTask, best, sources};
use crate::{Explanation, Question, TaskError};

/// How many networks of random weights the check has.
const NUM_RANDOM: u64 = 3;

/// Explains what a model says of an image, and writes the picture.
///
/// # Errors
/// [`TaskError::Usage`] for a method or class that there is not, several images, or a task without explanations; if the
/// image cannot be read, or the picture not be written.
pub fn explain<V: VisionTask>(
    description: &Description<V::Options>,
    mut model: Model<V>,
    question: &Question,
    device: Device,
) -> Result<Explanation, TaskError> {
    let method: Method = question.method.parse().map_err(|error| TaskError::Usage(format!("--method {error}")))?;
    let [source] = &sources(std::slice::from_ref(&question.source))?[..] else {
        return Err(TaskError::Usage(format!("{}: name one image", question.source)));
    };
    let preprocess = &description.preprocess;
    let (mut image, mut scratch) = (ImageBuffer::new(), Scratch::default());
    read(source, if preprocess.channels == 1 { 1 } else { 3 }, &mut image)?;
    // Of an image that is seen by windows, the middle one is explained.
    let views = preprocess.views(image.geometry());
    let projection = views[views.len() / 2];
    let mut converted = image.clone();
    preprocess.convert(&mut converted, &mut scratch);
    let geometry = preprocess.geometry();
    let mut pixels = vec![0.0; geometry.num_elements()];
    preprocess.see(&converted, &projection, &mut pixels, &mut scratch);
    let shape = [1, geometry.channels, geometry.height, geometry.width];
    let seen = Tensor::from_slice(shape, &pixels).to(device);
    let mut black = vec![0.0; geometry.num_elements()];
    preprocess.normalise(&ImageBuffer::from_pixels(geometry, black.clone()), &mut black);
    let black = Tensor::from_slice(shape, &black).to(device);

    model.move_to(device);
    if V::look(&model, &seen).is_none() {
        return Err(TaskError::Usage(format!("{}: there are no explanations of this task yet", V::NAME)));
    }
    let looks = |model: Model<V>| move |images: &Tensor| V::look(&model, images).expect("looked before");
    let look = looks(model);
    let scores = look(&seen).1.to_vec::<f32>();
    let class = class(question.class.as_deref(), &scores, &description.classes)?;
    let attribution = method.attribute(&look, &seen, &black, class);
    let checked = if question.check {
        let random = (1..=NUM_RANDOM).map(|seed| {
            let mut model = Model::<V>::new(V::build(description, &mut Rng::new(seed))?, vec![]);
            model.move_to(device);
            let look = looks(model);
            let look: Look = &look;
            Ok(method.attribute(look, &seen, &black, class).map)
        });
        Some(check(&attribution.map, &random.collect::<Result<Vec<HeatMap>, TaskError>>()?))
    } else {
        None
    };

    let name = &description.classes[class];
    let caption = format!("{method}: {name}");
    let picture = attribution.over(&image, &projection, preprocess.size, &caption);
    let path = question.out.clone().unwrap_or_else(|| {
        let stem = source.name.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        PathBuf::from(format!("{stem}_{method}.png"))
    });
    write_atomically(&path, |file| file.write_all(&picture.png()))?;
    Ok(explanation(&source.shown(), method, name, scores[class], &path.display().to_string(), &attribution, checked))
}

/// The class that is asked for; else that of the greatest score.
fn class(asked: Option<&str>, scores: &[f32], classes: &[String]) -> Result<usize, TaskError> {
    let Some(name) = asked else { return Ok(best(scores)) };
    classes
        .iter()
        .position(|class| class == name)
        .ok_or_else(|| TaskError::Usage(format!("--class {name}: must be one of {}", classes.join(", "))))
}

fn explanation(
    source: &str,
    method: Method,
    class: &str,
    score: f32,
    path: &str,
    attribution: &Attribution,
    checked: Option<Check>,
) -> Explanation {
    let mut text = format!("{source}: {class} by {method}: {path}");
    let mut json =
        json!({ "source": source, "method": method.name(), "class": class, "score": score, "picture": path });
    if let Some(gap) = attribution.gap {
        text.push_str(&format!("\ncompleteness gap: {gap:.2e} of a score of {score:.2}"));
        json["completeness_gap"] = json!(gap);
    }
    if let Some(checked) = checked {
        text.push_str(&format!("\ncheck: {}", checked.in_words()));
        json["rank_correlations"] = json!(checked.correlations);
        json["check_passed"] = json!(checked.passed());
    }
    Explanation { text, json }
}
