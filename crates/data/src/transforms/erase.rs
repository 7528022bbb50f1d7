//! Random erasing.

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::target::LabelMap;
use crate::transforms::Scratch;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// Paints over a rectangle, with some probability.
///
/// # Source
/// Zhong et al., Random Erasing Data Augmentation (2020), algorithm 1, with one attempt in place of many (the
/// rectangle is cut to fit), and each channel's mean over the image as colour: their variant RE-M.
#[derive(Clone, Debug, PartialEq)]
pub struct Erase {
    /// In `0..=1`.
    pub probability: f32,
    /// From and to which share of the image's area, in `0..=1`.
    pub area: [f32; 2],
}

impl Default for Erase {
    fn default() -> Self {
        Self { probability: 0.5, area: [0.02, 0.2] }
    }
}

impl Change for Erase {
    fn name(&self) -> &'static str {
        "erase"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::probability(&mut self.probability),
            Setting::range("area", &mut self.area, [0.0, 1.0], "fractions"),
        ]
    }

    fn paint(&self, image: &mut ImageBuffer, _: &mut LabelMap, _: &mut Scratch, random: &mut RandomStream) {
        let geometry = image.geometry();
        if !random.happens(self.probability) || geometry.num_elements() == 0 {
            return;
        }
        let area = random.between(self.area) * geometry.num_pixels() as f32;
        let aspect = random.between([0.3_f32.ln(), 3.3_f32.ln()]).exp();
        let length = |length: f32, limit: usize| (length.round() as usize).clamp(1, limit);
        let height = length((area * aspect).sqrt(), geometry.height);
        let width = length((area / aspect).sqrt(), geometry.width);
        let top = random.below(geometry.height - height + 1);
        let left = random.below(geometry.width - width + 1);
        let num_pixels = geometry.num_pixels();
        for channel in image.pixels_mut().chunks_exact_mut(num_pixels) {
            let mean = channel.iter().sum::<f32>() / num_pixels as f32;
            for row in channel.chunks_exact_mut(geometry.width).skip(top).take(height) {
                row[left..left + width].fill(mean);
            }
        }
    }
}
