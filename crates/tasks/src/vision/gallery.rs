//! Pictures for a report: truth beside prediction, and the worst mistakes.

use gyrus_data::{DataError, ImageBuffer};
use gyrus_draw::Picture;
use gyrus_geometry::Region;
use gyrus_train::record::{Content, Panel};

use super::draw::{Mark, Marks, beside};
use super::measure::Truth;
use super::{Answer, best};

/// How many pictures each gallery has.
const NUM_PICTURES: usize = 12;

/// The longer side of a picture: a pair of them fills a column of the page.
const SIDE: usize = 260;

/// An object is found if a box overlaps it so much.
const OVERLAP: f64 = 0.5;

/// Gathers pictures while answers are measured.
pub struct Galleries<'a> {
    classes: &'a [String],
    /// Of so many images one is shown, however right its answer is.
    stride: usize,
    num_seen: usize,
    samples: Vec<(Vec<u8>, String)>,
    /// How wrong, in which order, and the picture; the worst first.
    worst: Vec<(f64, (Vec<u8>, String))>,
}

impl<'a> Galleries<'a> {
    /// For answers about so many images.
    pub fn new(classes: &'a [String], num_images: usize) -> Self {
        let stride = num_images.div_ceil(NUM_PICTURES).max(1);
        Self { classes, stride, num_seen: 0, samples: vec![], worst: vec![] }
    }

    /// Takes in the answer for an image.
    ///
    /// # Errors
    /// If the truth cannot be read.
    pub fn see(&mut self, truth: &Truth, image: &ImageBuffer, answer: &Answer) -> Result<(), DataError> {
        let (known, said) = (Marks::of_truth(truth)?, Marks::from(answer));
        let (wrong, mistake) = wrongness(&known, answer);
        let place = self.worst.partition_point(|(other, _)| *other >= wrong);
        let is_sample = self.num_seen.is_multiple_of(self.stride);
        let is_worst = wrong > 0.0 && place < NUM_PICTURES;
        self.num_seen += 1;
        if !is_sample && !is_worst {
            return Ok(());
        }
        let origin = truth.dataset.origin(truth.index).to_string();
        // A file's name says more than the beginning of its path.
        let name = origin.rsplit(['/', '\\']).next().unwrap_or_default();
        let caption = if mistake.is_empty() { name.to_owned() } else { format!("{name}: {mistake}") };
        let pair = self.pair(&known, &said, image).png();
        if is_worst {
            self.worst.insert(place, (wrong, (pair.clone(), caption.clone())));
            self.worst.truncate(NUM_PICTURES);
        }
        if is_sample {
            self.samples.push((pair, caption));
        }
        Ok(())
    }

    fn pair(&self, known: &Marks, said: &Marks, image: &ImageBuffer) -> Picture {
        beside(known.over(image, self.classes, SIDE), said.over(image, self.classes, SIDE))
    }

    /// The galleries: the worst mistakes, if there are any, and images spread evenly.
    pub fn panels(self, split: &str) -> Vec<Panel> {
        let worst: Vec<(Vec<u8>, String)> = self.worst.into_iter().map(|(_, picture)| picture).collect();
        let panel = |id: &str, title: &str, about: String, pictures: Vec<(Vec<u8>, String)>| Panel {
            id: id.into(),
            title: title.into(),
            about,
            content: vec![Content::Gallery(pictures)],
        };
        let mistakes = format!("The {split} images with the worst answers: is the model wrong, or the truth?");
        let samples =
            format!("Some of the {split} images, taken evenly: truth on the left, what the model says on the right.");
        vec![
            panel("worst", "Worst mistakes, in pictures", mistakes, worst),
            panel("pictures", "What it sees, what it says", samples, self.samples),
        ]
    }
}

/// How wrong an answer is, from 0, and in words.
fn wrongness(known: &Marks, answer: &Answer) -> (f64, String) {
    match (known, answer) {
        (Marks::Classes(known), Answer::Class(probabilities)) => match known[..] {
            [(class, _)] if best(probabilities) != class => (1.0 - f64::from(probabilities[class]), String::new()),
            _ => (0.0, String::new()),
        },
        (Marks::Classes(known), Answer::Classes(probabilities)) => {
            let of = |(class, &probability): (usize, &f32)| {
                let is_true = known.iter().any(|(known, _)| *known == class);
                let error = if is_true { 1.0 - probability } else { probability };
                f64::from(error)
            };
            let errors: Vec<f64> = probabilities.iter().enumerate().map(of).filter(|error| *error > 0.5).collect();
            let words = match errors.len() {
                0 => String::new(),
                1 => "1 class is wrong".into(),
                number => format!("{number} classes are wrong"),
            };
            (errors.iter().sum(), words)
        }
        (Marks::Objects(known), Answer::Objects(_)) => {
            let Marks::Objects(found) = Marks::from(answer) else { return (0.0, String::new()) };
            let (missed, wrong) = unmatched(known, &found);
            let words = match (missed, wrong) {
                (0, 0) => String::new(),
                (missed, 0) => format!("{missed} missed"),
                (0, wrong) => format!("{wrong} wrong"),
                (missed, wrong) => format!("{missed} missed, {wrong} wrong"),
            };
            // Among few objects a mistake weighs more: one less F1 score.
            let all = (known.len() + found.len()).max(1) as f64;
            ((missed + wrong) as f64 / all, words)
        }
        (Marks::Pixels(known), Answer::Pixels(found)) => {
            let pairs =
                known.labels.iter().zip(&found.labels).filter(|(known, _)| **known != gyrus_data::target::IGNORED);
            let (num_wrong, all) = pairs.fold((0_u64, 0_u64), |(num_wrong, all), (known, found)| {
                (num_wrong + u64::from(known != found), all + 1)
            });
            let share = num_wrong as f64 / all.max(1) as f64;
            (share, format!("{:.1}% of the pixels are wrong", 100.0 * share))
        }
        _ => (0.0, String::new()),
    }
}

/// How many objects are not found, and how many found ones are none: each found one, the surest first, takes the object
/// of its class that it overlaps most. Crowds are neither.
fn unmatched(known: &[Mark], found: &[Mark]) -> (usize, usize) {
    let mut is_free: Vec<bool> = known.iter().map(|mark| !mark.is_crowd).collect();
    let mut wrong = 0;
    for mark in found {
        let overlap = |place: &usize| known[*place].bounds.intersection_over_union(&mark.bounds);
        let candidates = (0..known.len()).filter(|&place| is_free[place] && known[place].class == mark.class);
        let nearest =
            candidates.filter(|place| overlap(place) >= OVERLAP).max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        match nearest {
            Some(place) => is_free[place] = false,
            None => {
                let is_of = |crowd: &&Mark| mark.bounds.intersection_over_area(&crowd.bounds) >= OVERLAP;
                wrong += usize::from(!known.iter().filter(|mark| mark.is_crowd).any(|crowd| is_of(&crowd)));
            }
        }
    }
    (is_free.into_iter().filter(|is_free| *is_free).count(), wrong)
}

#[cfg(test)]
mod tests {
    use gyrus_geometry::Xyxy;

    use super::*;
    use crate::vision::Found;

    fn mark(class: usize, left: f64, is_crowd: bool) -> Mark {
        Mark { class, score: None, bounds: Xyxy::new(left, 0.0, left + 10.0, 10.0), mask: None, is_crowd }
    }

    fn found(class: usize, left: f64) -> Found {
        Found { class, score: 0.5, bounds: Xyxy::new(left, 0.0, left + 10.0, 10.0), mask: None }
    }

    #[test]
    fn mistakes_are_counted() {
        let known = Marks::Objects(vec![mark(0, 0.0, false), mark(1, 20.0, false), mark(1, 60.0, true)]);
        let words = |objects: Vec<Found>| wrongness(&known, &Answer::Objects(objects)).1;
        assert_eq!(words(vec![found(0, 1.0), found(1, 19.0)]), "");
        assert_eq!(words(vec![found(0, 1.0), found(0, 1.0)]), "1 missed, 1 wrong");
        assert_eq!(words(vec![found(0, 1.0), found(1, 20.0), found(1, 61.0), found(1, 62.0)]), "");
        assert_eq!(words(vec![]), "2 missed");
        let class =
            |probabilities: Vec<f32>| wrongness(&Marks::Classes(vec![(1, None)]), &Answer::Class(probabilities)).0;
        assert_eq!([class(vec![0.25, 0.75]), class(vec![0.75, 0.25])], [0.0, 0.75]);
    }
}
