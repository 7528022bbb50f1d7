//! Elastic distortion.

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::target::LabelMap;
use crate::transforms::Scratch;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;
use crate::transforms::warp::{Area, Outside, resample};

/// Shifts every pixel by a smooth random field: uniform noise in -1..1, blurred by a Gaussian and multiplied by
/// `alpha`. What comes into view from outside continues the image's edge. Labels of pixels move along; boxes would not, so
/// that images with boxes are not distorted.
///
/// # Source
/// Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis
/// (2003), section 2; they took alpha 34 and sigma 4 for 29x29 digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Elastic {
    /// How far, in pixels before the blur takes its share; at least 0.
    pub alpha: f32,
    /// The standard deviation of the Gaussian in pixels; above 0.
    pub sigma: f32,
}

impl Default for Elastic {
    fn default() -> Self {
        Self { alpha: 34.0, sigma: 4.0 }
    }
}

impl Change for Elastic {
    fn name(&self) -> &'static str {
        "elastic"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::number("alpha", &mut self.alpha, [0.0, 1e6], "pixels"),
            Setting::number("sigma", &mut self.sigma, [0.1, 100.0], "pixels"),
        ]
    }

    fn paint(&self, image: &mut ImageBuffer, labels: &mut LabelMap, scratch: &mut Scratch, random: &mut RandomStream) {
        let geometry = image.geometry();
        let (width, num_pixels) = (geometry.width, geometry.num_pixels());
        if num_pixels == 0 {
            return;
        }
        let radius = (3.0 * self.sigma).ceil() as usize;
        let weight = |offset: usize| (-(offset as f32 / self.sigma).powi(2) / 2.0).exp();
        let total = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f32>();
        let [mut x, mut y, mut noise] = std::mem::take(&mut scratch.fields);
        for field in [&mut x, &mut y] {
            noise.clear();
            noise.extend((0..num_pixels).map(|_| random.between([-self.alpha, self.alpha]) / (total * total)));
            field.clear();
            field.resize(num_pixels, 0.0);
            blur_columns(&noise, field, width, radius, &weight);
            noise.fill(0.0);
            blur_rows(field, &mut noise, width, radius, &weight);
            std::mem::swap(field, &mut noise);
        }
        let target = &mut scratch.image;
        target.reshape(geometry);
        resample(image, target, Area::whole(geometry), Outside::Edge, |row| {
            let (x, y) = (&x[row * width..], &y[row * width..]);
            let shift = |field: &[f32], column: usize| field.get(column).copied().unwrap_or(0.0);
            move |column| (column as f32 + shift(x, column), row as f32 + shift(y, column))
        });
        std::mem::swap(image, target);
        if !labels.labels.is_empty() {
            let moved = &mut scratch.labels;
            moved.clear();
            moved.extend((0..num_pixels).map(|place| {
                let nearest = |place: usize, shift: f32, length: usize| {
                    ((place as f32 + shift).round().max(0.0) as usize).min(length - 1)
                };
                let row = nearest(place / width, y[place], geometry.height);
                labels.labels[row * width + nearest(place % width, x[place], width)]
            }));
            std::mem::swap(&mut labels.labels, moved);
        }
        scratch.fields = [x, y, noise];
    }
}

/// There is no noise outside the image.
fn blur_columns(input: &[f32], output: &mut [f32], width: usize, radius: usize, weight: &impl Fn(usize) -> f32) {
    let height = input.len() / width;
    for (row, output) in output.chunks_exact_mut(width).enumerate() {
        for source in row.saturating_sub(radius)..(row + radius + 1).min(height) {
            let weight = weight(source.abs_diff(row));
            let input = &input[source * width..(source + 1) * width];
            output.iter_mut().zip(input).for_each(|(output, input)| *output += weight * input);
        }
    }
}

fn blur_rows(input: &[f32], output: &mut [f32], width: usize, radius: usize, weight: &impl Fn(usize) -> f32) {
    for offset in 0..=radius.min(width - 1) {
        let weight = weight(offset);
        for (input, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
            output[offset..].iter_mut().zip(input).for_each(|(output, input)| *output += weight * input);
            if offset > 0 {
                output.iter_mut().zip(&input[offset..]).for_each(|(output, input)| *output += weight * input);
            }
        }
    }
}
