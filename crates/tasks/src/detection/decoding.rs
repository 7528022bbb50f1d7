//! From what a detector says of places to objects.

use gyrus_geometry::{Xyxy, non_maximum_suppression_by_class};

use crate::vision::Found;
use crate::vision::View;

/// What counts as an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoding {
    /// The least score.
    pub least_score: f64,
    /// Of objects of one class that overlap by more, the best stays.
    pub overlap: f64,
    /// The most objects of an image.
    pub most: usize,
}

/// The most candidates of a view, so that suppression takes no more time than it should.
const MOST_CANDIDATES: usize = 3000;

/// A place of a view that may show an object.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The view's number.
    pub view: usize,
    /// The place's number in the view.
    pub place: usize,
}

impl Decoding {
    /// The objects of an image of `width x height` pixels, by falling score, each with the place that shows it. The first
    /// outputs of each view are boxes `[A, 4]` in pixels of its frame and probabilities `[A, classes]`.
    pub fn objects(&self, views: &[View], width: usize, height: usize) -> Vec<(Found, Candidate)> {
        let mut found: Vec<(Found, Candidate)> = vec![];
        for (number, view) in views.iter().enumerate() {
            found.extend(self.candidates(view, number, width, height));
        }
        let boxes: Vec<Xyxy> = found.iter().map(|(found, _)| found.bounds).collect();
        let scores: Vec<f64> = found.iter().map(|(found, _)| found.score).collect();
        let classes: Vec<usize> = found.iter().map(|(found, _)| found.class).collect();
        let mut kept = non_maximum_suppression_by_class(&boxes, &scores, &classes, self.overlap);
        kept.truncate(self.most);
        kept.into_iter().map(|place| found[place].clone()).collect()
    }

    fn candidates(&self, view: &View, number: usize, width: usize, height: usize) -> Vec<(Found, Candidate)> {
        let [boxes, probabilities, ..] = &view.outputs[..] else { panic!("a detector says boxes and probabilities") };
        let Some(inverse) = view.projection.inverse() else { return vec![] };
        let num_classes = probabilities.shape[1];
        let mut best: Vec<(f32, usize)> = probabilities.values.iter().copied().zip(0..).collect();
        best.retain(|&(score, _)| f64::from(score) >= self.least_score);
        best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        best.truncate(MOST_CANDIDATES);
        let candidate = |(score, index): (f32, usize)| {
            let (place, class) = (index / num_classes, index % num_classes);
            let sides: [f32; 4] = boxes.values[4 * place..][..4].try_into().expect("four sides");
            let [left, top, right, bottom] = inverse.map_bounds(sides.map(f64::from));
            let bounds = Xyxy::new(left, top, right, bottom).clip(width, height);
            (Found { class, score: score.into(), bounds, mask: None }, Candidate { view: number, place })
        };
        best.into_iter().map(candidate).filter(|(found, _)| !found.bounds.is_empty()).collect()
    }
}
