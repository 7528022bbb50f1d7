//! From what the network says of pixels to objects.

use gyrus_data::Geometry;
use gyrus_geometry::{Region, RunLengthMask, connected_regions, watershed};

use super::Options;
use crate::vision::{Answer, Found, Merge, PixelMean, View, best};

/// Brings views together, and tells objects apart when all are there.
pub struct Objects<'a> {
    size: Geometry,
    num_classes: usize,
    options: &'a Options,
    mean: PixelMean,
}

impl<'a> Objects<'a> {
    /// Of nothing yet, for an image of this size.
    pub fn new(size: Geometry, num_classes: usize, options: &'a Options) -> Self {
        Objects { size, num_classes, options, mean: PixelMean::new(size, num_classes + 2) }
    }
}

impl Merge for Objects<'_> {
    fn add(&mut self, view: &View) {
        self.mean.add(view, &view.outputs[0], probabilities);
    }

    fn finish(self: Box<Self>) -> Answer {
        let Objects { size, num_classes, options, mean } = *self;
        Answer::Objects(tell_apart(&mean.finish(), size, num_classes, options))
    }
}

/// Logits of the background and the classes become probabilities that sum to 1, the last number a share.
fn probabilities(numbers: &mut [f32]) {
    let (distance, logits) = numbers.split_last_mut().expect("a distance");
    *distance = 1.0 / (1.0 + (-*distance).exp());
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|logit| *logit = (*logit - greatest).exp());
    let total: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|logit| *logit /= total);
}

/// The objects of an image of which `[H, W, 1 + classes + 1]` are the probabilities of background and classes, and the
/// shares of distances; by falling score. A score is the mean probability that a pixel of the object is not background,
/// times the greatest share in it.
pub fn tell_apart(numbers: &[f32], size: Geometry, num_classes: usize, options: &Options) -> Vec<Found> {
    let (width, height) = (size.width, size.height);
    let pixels = || numbers.chunks_exact(num_classes + 2);
    let distances: Vec<f32> = pixels().map(|pixel| pixel[num_classes + 1]).collect();
    let mask: Vec<bool> = pixels().map(|pixel| f64::from(1.0 - pixel[0]) >= options.least_probability).collect();
    let is_middle = |(&distance, &is_inside): (&f32, &bool)| is_inside && f64::from(distance) >= options.least_distance;
    let middles: Vec<bool> = distances.iter().zip(&mask).map(is_middle).collect();
    let markers = connected_regions(width, height, &middles);
    let levels: Vec<f32> = distances.iter().map(|distance| -distance).collect();
    let labels = watershed(width, height, &levels, &markers, &mask);

    let count = labels.iter().max().map_or(0, |&greatest| greatest as usize);
    let mut sums = vec![0.0f32; count * num_classes];
    let mut furthest = vec![0.0f32; count];
    for ((pixel, &distance), &label) in pixels().zip(&distances).zip(&labels).filter(|(_, label)| **label > 0) {
        let object = label as usize - 1;
        let own = &mut sums[object * num_classes..(object + 1) * num_classes];
        own.iter_mut().zip(&pixel[1..]).for_each(|(sum, probability)| *sum += probability);
        furthest[object] = furthest[object].max(distance);
    }
    let masks = RunLengthMask::of_labels(width, height, &labels).expect("a label for each pixel");
    let large = masks.into_iter().filter(|(_, mask)| mask.area() >= options.smallest as f64);
    let mut found: Vec<Found> = large
        .map(|(label, mask)| {
            let object = label as usize - 1;
            let sums = &sums[object * num_classes..(object + 1) * num_classes];
            let mean = f64::from(sums.iter().sum::<f32>()) / mask.area();
            let score = (mean * f64::from(furthest[object])).min(1.0);
            Found { class: best(sums), score, bounds: mask.bounding_box(), mask: Some(mask) }
        })
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}
