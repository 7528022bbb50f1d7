//! Blur and noise.

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::target::LabelMap;
use crate::transforms::Scratch;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// Blurs by a Gaussian, with some probability. The image continues beyond its border as its edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Blur {
    /// In `0..=1`.
    pub probability: f32,
    /// From and to which standard deviation, in pixels of the frame.
    pub sigma: [f32; 2],
}

/// Adds to each number one of a nearly normal distribution, with some probability: the sum of four even ones, which is
/// never further than 3.5 standard deviations from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// In `0..=1`.
    pub probability: f32,
    /// From and to which standard deviation, where white less black is 1.
    pub deviation: [f32; 2],
}

impl Default for Blur {
    fn default() -> Self {
        Self { probability: 0.5, sigma: [0.1, 2.0] }
    }
}

impl Default for Noise {
    fn default() -> Self {
        Self { probability: 0.5, deviation: [0.0, 0.05] }
    }
}

impl Change for Blur {
    fn name(&self) -> &'static str {
        "blur"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::probability(&mut self.probability),
            Setting::range("sigma", &mut self.sigma, [0.01, 100.0], "pixels"),
        ]
    }

    fn paint(&self, image: &mut ImageBuffer, _: &mut LabelMap, scratch: &mut Scratch, random: &mut RandomStream) {
        if random.happens(self.probability) {
            gaussian(image, random.between(self.sigma), scratch);
        }
    }
}

impl Change for Noise {
    fn name(&self) -> &'static str {
        "noise"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::probability(&mut self.probability),
            Setting::range("deviation", &mut self.deviation, [0.0, 1e6], ""),
        ]
    }

    fn paint(&self, image: &mut ImageBuffer, _: &mut LabelMap, _: &mut Scratch, random: &mut RandomStream) {
        if random.happens(self.probability) {
            let deviation = random.between(self.deviation);
            let draw = |value: &mut f32| *value += deviation * random.nearly_normal();
            image.pixels_mut().iter_mut().for_each(draw);
        }
    }
}

/// Blurs an image by a Gaussian of this standard deviation in pixels, cut off at three of them.
pub fn gaussian(image: &mut ImageBuffer, sigma: f32, scratch: &mut Scratch) {
    let geometry = image.geometry();
    let (height, width) = (geometry.height, geometry.width);
    if geometry.num_elements() == 0 {
        return;
    }
    let radius = (3.0 * sigma).ceil() as usize;
    let [weights, line, copy] = &mut scratch.fields;
    weights.clear();
    weights.extend((0..=2 * radius).map(|place| (-((place as f32 - radius as f32) / sigma).powi(2) / 2.0).exp()));
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    copy.resize(geometry.num_pixels(), 0.0);
    for channel in image.pixels_mut().chunks_exact_mut(height * width) {
        for (row, output) in channel.chunks_exact(width).zip(copy.chunks_exact_mut(width)) {
            line.clear();
            line.extend(std::iter::repeat_n(row[0], radius));
            line.extend_from_slice(row);
            line.extend(std::iter::repeat_n(row[width - 1], radius));
            output.fill(0.0);
            for (weight, offset) in weights.iter().zip(0..) {
                output.iter_mut().zip(&line[offset..]).for_each(|(output, input)| *output += weight * input);
            }
        }
        for (row, output) in channel.chunks_exact_mut(width).enumerate() {
            output.fill(0.0);
            for (weight, offset) in weights.iter().zip(0..) {
                let source = (row + offset).saturating_sub(radius).min(height - 1);
                let input = &copy[source * width..(source + 1) * width];
                output.iter_mut().zip(input).for_each(|(output, input)| *output += weight * input);
            }
        }
    }
}
