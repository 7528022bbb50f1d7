//! A line an image: for people, and for programs.

use serde_json::{Map, Value, json};

use super::{Lines, Said};
use crate::TaskError;
use crate::vision::answer::{LIKELY, NUM_NAMED, by_probability};
use crate::vision::{Answer, Found};

/// `photo.jpg: cat 97.1%, dog 2.0%`, `photo.jpg: 2 cat, 1 dog`, `photo.jpg: sky 40.0%, road 60.0%`.
pub(super) struct Text<'a> {
    pub(super) classes: &'a [String],
}

impl Lines for Text<'_> {
    fn lines(&mut self, said: &Said) -> Result<Vec<String>, TaskError> {
        let classes = self.classes;
        let words: Vec<String> = match said.answer {
            Answer::Class(probabilities) => by_probability(probabilities)
                .into_iter()
                .take(NUM_NAMED)
                .map(|class| named(classes, class, probabilities))
                .collect(),
            Answer::Classes(probabilities) => {
                told(probabilities).map(|class| named(classes, class, probabilities)).collect()
            }
            Answer::Objects(objects) => {
                let count = |class: usize| objects.iter().filter(|found| found.class == class).count();
                let counts = (0..classes.len()).map(|class| (class, count(class)));
                counts
                    .filter(|(_, count)| *count > 0)
                    .map(|(class, count)| format!("{count} {}", classes[class]))
                    .collect()
            }
            Answer::Pixels(_) => {
                let all = shares(said, classes.len());
                all.into_iter().map(|(class, share)| format!("{} {:.1}%", classes[class], 100.0 * share)).collect()
            }
        };
        let words = if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
        Ok(vec![format!("{}: {words}", said.source)])
    }
}

/// An object with the key `source`, and what the kind of answer has: `class`, `probability` and `probabilities`;
/// `classes` and `probabilities`; `width`, `height` and `objects`, each with `class`, `score`, `box` (left, top, right,
/// bottom) and perhaps `mask` (COCO's run lengths); `shares` of the classes of pixels.
pub(super) struct Json<'a> {
    pub(super) classes: &'a [String],
}

impl Lines for Json<'_> {
    fn lines(&mut self, said: &Said) -> Result<Vec<String>, TaskError> {
        let classes = self.classes;
        let all = |probabilities: &[f32]| -> Value {
            let order = by_probability(probabilities);
            order
                .iter()
                .map(|&class| (classes[class].clone(), json!(probabilities[class])))
                .collect::<Map<_, _>>()
                .into()
        };
        let facts = match said.answer {
            Answer::Class(probabilities) => {
                let best = by_probability(probabilities)[0];
                json!({
                    "class": classes[best], "probability": probabilities[best], "probabilities": all(probabilities),
                })
            }
            Answer::Classes(probabilities) => {
                let named: Vec<&String> = told(probabilities).map(|class| &classes[class]).collect();
                json!({ "classes": named, "probabilities": all(probabilities) })
            }
            Answer::Objects(objects) => {
                let objects: Vec<Value> = objects.iter().map(|found| object(found, classes)).collect();
                json!({ "width": said.size().width, "height": said.size().height, "objects": objects })
            }
            Answer::Pixels(_) => {
                let shares = shares(said, classes.len());
                let shares: Map<String, Value> =
                    shares.into_iter().map(|(class, share)| (classes[class].clone(), json!(share))).collect();
                json!({ "width": said.size().width, "height": said.size().height, "shares": shares })
            }
        };
        let mut line = Map::from_iter([("source".to_owned(), json!(said.source))]);
        line.extend(facts.as_object().cloned().unwrap_or_default());
        Ok(vec![Value::from(line).to_string()])
    }
}

fn object(found: &Found, classes: &[String]) -> Value {
    let bounds = [found.bounds.left, found.bounds.top, found.bounds.right, found.bounds.bottom];
    let mut object = json!({ "class": classes[found.class], "score": found.score, "box": bounds });
    if let Some(mask) = &found.mask {
        object["mask"] = json!({ "size": [mask.height(), mask.width()], "counts": mask.compressed() });
    }
    object
}

fn named(classes: &[String], class: usize, probabilities: &[f32]) -> String {
    format!("{} {:.1}%", classes[class], 100.0 * probabilities[class])
}

/// The classes that are more probable than not, the most probable first.
fn told(probabilities: &[f32]) -> impl Iterator<Item = usize> {
    by_probability(probabilities).into_iter().filter(|&class| probabilities[class] >= LIKELY)
}

/// The share of the pixels that each class has, of those that have any.
pub(super) fn shares(said: &Said, num_classes: usize) -> Vec<(usize, f64)> {
    let Answer::Pixels(map) = said.answer else { return vec![] };
    let mut counts = vec![0_u64; num_classes];
    let labels = map.labels.iter().map(|&label| label as usize);
    labels.filter(|&label| label < num_classes).for_each(|label| counts[label] += 1);
    let all = map.labels.len().max(1) as f64;
    let share = |(class, count): (usize, u64)| (class, count as f64 / all);
    counts.into_iter().enumerate().filter(|(_, count)| *count > 0).map(share).collect()
}
