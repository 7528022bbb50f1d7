//! What a model says of an image: the counterpart of [`Target`](gyrus_data::Target), in the image's own pixels.

use gyrus_data::target::LabelMap;
use gyrus_geometry::{RunLengthMask, Xyxy};

/// What a model says of an image. Measuring, drawing and writing depend on nothing else.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One of the classes: a probability for each, which sum to 1.
    Class(Vec<f32>),
    /// Any number of the classes: a probability for each.
    Classes(Vec<f32>),
    /// Objects, by falling score.
    Objects(Vec<Found>),
    /// The class of each pixel.
    Pixels(LabelMap),
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its class.
    pub class: usize,
    /// How sure the model is, from 0 to 1.
    pub score: f64,
    /// The box around it, in pixels of the image.
    pub bounds: Xyxy,
    /// Its pixels, where the model tells them.
    pub mask: Option<RunLengthMask>,
}

impl Answer {
    /// Without objects that the model is less sure of, and without classes that are less probable, than `confidence`.
    pub fn confident(&mut self, confidence: f64) {
        if let Answer::Objects(objects) = self {
            objects.retain(|object| object.score >= confidence);
        }
    }
}

/// The index of the greatest probability; the first of equals.
pub fn best(probabilities: &[f32]) -> usize {
    let later_if_greater = |best: usize, (index, &p): (usize, &f32)| if p > probabilities[best] { index } else { best };
    probabilities.iter().enumerate().fold(0, later_if_greater)
}

/// How many classes of one are named to people.
pub(super) const NUM_NAMED: usize = 3;

/// From this probability on a class counts as told, of which an image may have any number.
pub(super) const LIKELY: f32 = 0.5;

/// The classes, the most probable first.
pub(super) fn by_probability(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}
