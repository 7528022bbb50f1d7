//! A table of comma-separated values.

use super::lines::shares;
use super::{Lines, Said};
use crate::TaskError;
use crate::vision::{Answer, Found, best};

/// A header, and rows: of classes one an image, with the probability of each class; of objects one an object, with its
/// box in pixels and the area of its mask, if it has one; of pixels one a class.
pub(super) struct Csv<'a> {
    classes: &'a [String],
    has_header: bool,
}

impl<'a> Csv<'a> {
    pub(super) fn new(classes: &'a [String]) -> Self {
        Self { classes, has_header: false }
    }

    fn header(&self, answer: &Answer) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match answer {
            Answer::Class(_) => [words(&["source", "class", "probability"]), self.classes.to_vec()].concat(),
            Answer::Classes(_) => [words(&["source"]), self.classes.to_vec()].concat(),
            Answer::Objects(_) => words(&["source", "class", "score", "left", "top", "right", "bottom", "area"]),
            Answer::Pixels(_) => words(&["source", "class", "share"]),
        }
    }

    fn rows(&self, said: &Said) -> Vec<Vec<String>> {
        let source = said.source.to_owned();
        let numbers = |numbers: &[f32]| numbers.iter().map(f32::to_string).collect::<Vec<_>>();
        match said.answer {
            Answer::Class(probabilities) => {
                let class = best(probabilities);
                let own = vec![source, self.classes[class].clone(), probabilities[class].to_string()];
                vec![[own, numbers(probabilities)].concat()]
            }
            Answer::Classes(probabilities) => vec![[vec![source], numbers(probabilities)].concat()],
            Answer::Objects(objects) => {
                let row = |found: &Found| {
                    let Found { class, score, bounds, mask } = found;
                    let area =
                        mask.as_ref().map_or_else(String::new, |mask| gyrus_geometry::Region::area(mask).to_string());
                    let bounds = [bounds.left, bounds.top, bounds.right, bounds.bottom].map(|edge| edge.to_string());
                    [vec![source.clone(), self.classes[*class].clone(), score.to_string()], bounds.to_vec(), vec![area]]
                        .concat()
                };
                objects.iter().map(row).collect()
            }
            Answer::Pixels(_) => shares(said, self.classes.len())
                .into_iter()
                .map(|(class, share)| vec![source.clone(), self.classes[class].clone(), share.to_string()])
                .collect(),
        }
    }
}

impl Lines for Csv<'_> {
    fn lines(&mut self, said: &Said) -> Result<Vec<String>, TaskError> {
        let mut rows = self.rows(said);
        if !std::mem::replace(&mut self.has_header, true) {
            rows.insert(0, self.header(said.answer));
        }
        Ok(rows.into_iter().map(|row| row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",")).collect())
    }
}

/// A cell in quotes where it has to be (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
