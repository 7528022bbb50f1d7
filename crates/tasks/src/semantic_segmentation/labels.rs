//! From the logits of views to the class of each pixel of an image.

use gyrus_data::Geometry;
use gyrus_data::target::LabelMap;

use crate::vision::{Answer, Merge, PixelMean, View};

/// The class of the greatest mean probability over all views, at each pixel.
pub struct Labels {
    size: Geometry,
    mean: PixelMean,
    is_ignored: Vec<bool>,
}

impl Labels {
    /// Of nothing yet; classes that are ignored are no answer.
    pub fn new(size: Geometry, is_ignored: Vec<bool>) -> Self {
        Labels { size, mean: PixelMean::new(size, is_ignored.len()), is_ignored }
    }
}

impl Merge for Labels {
    fn add(&mut self, view: &View) {
        self.mean.add(view, &view.outputs[0], softmax);
    }

    fn finish(self: Box<Self>) -> Answer {
        let Labels { size, mean, is_ignored } = *self;
        let class = |probabilities: &[f32]| {
            let classes = (0..probabilities.len()).filter(|&class| !is_ignored[class]);
            // Of equals the first.
            let best = classes.rev().max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
            best.unwrap_or(0) as u16
        };
        let labels = mean.finish().chunks_exact(is_ignored.len()).map(class).collect();
        Answer::Pixels(LabelMap { height: size.height, width: size.width, labels })
    }
}

/// Logits to probabilities.
fn softmax(numbers: &mut [f32]) {
    let greatest = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    numbers.iter_mut().for_each(|number| *number = (*number - greatest).exp());
    let total: f32 = numbers.iter().sum();
    numbers.iter_mut().for_each(|number| *number /= total);
}
