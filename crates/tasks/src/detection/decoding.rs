//! From what a detector says of places to objects.

use gyrus_data::Geometry;
use gyrus_geometry::{Xyxy, non_maximum_suppression_by_class};

use crate::vision::{Found, View};

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

impl Decoding {
    /// What may be objects in one view of an image of this size, each with the place that shows it, by falling score. The
    /// view's first outputs are boxes `[A, 4]` in pixels of its frame and probabilities `[A, classes]`.
    pub fn candidates(&self, view: &View, size: Geometry) -> Vec<(Found, usize)> {
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
            let bounds = Xyxy::new(left, top, right, bottom).clip(size.width, size.height);
            (Found { class, score: score.into(), bounds, mask: None }, place)
        };
        best.into_iter().map(candidate).filter(|(found, _)| !found.bounds.is_empty()).collect()
    }

    /// Those that stay, with what came with them, by falling score.
    pub fn suppressed<T>(&self, found: Vec<(Found, T)>) -> Vec<(Found, T)> {
        let boxes: Vec<Xyxy> = found.iter().map(|(found, _)| found.bounds).collect();
        let scores: Vec<f64> = found.iter().map(|(found, _)| found.score).collect();
        let classes: Vec<usize> = found.iter().map(|(found, _)| found.class).collect();
        let mut kept = non_maximum_suppression_by_class(&boxes, &scores, &classes, self.overlap);
        kept.truncate(self.most);
        let mut found: Vec<Option<(Found, T)>> = found.into_iter().map(Some).collect();
        kept.into_iter().filter_map(|place| found[place].take()).collect()
    }
}

#[cfg(test)]
mod tests {
    use gyrus_data::transforms::Projection;

    use super::*;
    use crate::vision::Output;

    /// Boxes go back to the image, out of which they do not reach; scores below the least are dropped; of two of one class
    /// at one place the better stays, one of another class beside it.
    #[test]
    fn objects_of_a_view() {
        let boxes = [8.0, 8.0, 16.0, 16.0, 9.0, 8.0, 17.0, 16.0, -4.0, 0.0, 4.0, 4.0];
        let probabilities = [0.6, 0.3, 0.7, 0.0, 0.0, 0.05];
        // The image is twice as large as the frame, and mirrored in it.
        let projection = Projection::scaling(-0.5, 0.5).then(&Projection::shifting(20.0, 0.0));
        let outputs =
            vec![Output { shape: &[3, 4], values: &boxes }, Output { shape: &[3, 2], values: &probabilities }];
        let decoding = Decoding { least_score: 0.1, overlap: 0.5, most: 10 };
        let found = decoding.candidates(&View { projection, outputs }, Geometry::new(40, 40, 3));
        assert_eq!(
            found.iter().map(|(found, place)| (found.class, *place)).collect::<Vec<_>>(),
            [(0, 1), (0, 0), (1, 0)]
        );
        let kept = decoding.suppressed(found);
        let bounds: Vec<(usize, Xyxy)> = kept.iter().map(|(found, _)| (found.class, found.bounds)).collect();
        assert_eq!(bounds, [(0, Xyxy::new(6.0, 16.0, 22.0, 32.0)), (1, Xyxy::new(8.0, 16.0, 24.0, 32.0))]);

        let all = Decoding { least_score: 0.0, most: 2, ..decoding };
        let outputs =
            vec![Output { shape: &[1, 4], values: &boxes[8..] }, Output { shape: &[1, 2], values: &[0.2, 0.05] }];
        let kept = all.candidates(&View { projection, outputs }, Geometry::new(40, 40, 3));
        assert_eq!(kept[0].0.bounds, Xyxy::new(32.0, 0.0, 40.0, 8.0));
    }
}
