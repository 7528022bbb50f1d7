//! Another size by linear interpolation.

use crate::transforms::Scratch;
use crate::{Geometry, ImageBuffer};

/// Gives an image another size: bilinear when it grows, and averaged with a triangle as wide as two new pixels when it
/// shrinks, so that nothing is skipped. Edges are not padded.
///
/// # Source
/// The definition of Pillow's `BILINEAR` (and of torchvision's with `antialias=True`). Own code because the `image`
/// crate clamps floats to 0..1, and because its sums must not depend on the processor's vector instructions.
///
/// ```
/// use gyrus_data::transforms::{Scratch, resize};
/// use gyrus_data::{Geometry, ImageBuffer};
/// let mut image = ImageBuffer::from_pixels(Geometry::new(1, 2, 1), vec![0.0, 1.0]);
/// resize(&mut image, 1, 4, &mut Scratch::default());
/// assert_eq!(image.pixels(), [0.0, 0.25, 0.75, 1.0]);
/// ```
pub fn resize(image: &mut ImageBuffer, height: usize, width: usize, scratch: &mut Scratch) {
    let from = image.geometry();
    if (from.height, from.width) == (height, width) {
        return;
    }
    let Scratch { image: half, columns, rows, .. } = scratch;
    columns.prepare(from.width, width);
    rows.prepare(from.height, height);
    half.reshape(Geometry { width, ..from });
    for (input, output) in image.pixels().chunks_exact(from.width).zip(half.pixels_mut().chunks_exact_mut(width)) {
        for ((weights, &first), value) in columns.weights().zip(&columns.first).zip(output) {
            *value = weights.iter().zip(&input[first..]).map(|(weight, value)| weight * value).sum();
        }
    }
    image.reshape(Geometry { height, ..half.geometry() });
    let inputs = half.pixels().chunks_exact(from.height * width);
    for (input, output) in inputs.zip(image.pixels_mut().chunks_exact_mut(height * width)) {
        for ((weights, &first), output) in rows.weights().zip(&rows.first).zip(output.chunks_exact_mut(width)) {
            output.fill(0.0);
            for (weight, input) in weights.iter().zip(input[first * width..].chunks_exact(width)) {
                output.iter_mut().zip(input).for_each(|(value, input)| *value += weight * input);
            }
        }
    }
}

/// How each of the new pixels of an axis is made of the old ones.
#[derive(Clone, Debug, Default)]
pub(super) struct AxisWeights {
    lengths: (usize, usize),
    /// The first old pixel of each new one.
    first: Vec<usize>,
    /// Where the weights of each new pixel end.
    ends: Vec<usize>,
    weights: Vec<f32>,
}

impl AxisWeights {
    fn prepare(&mut self, from: usize, to: usize) {
        if self.lengths == (from, to) {
            return;
        }
        self.lengths = (from, to);
        self.first.clear();
        self.ends.clear();
        self.weights.clear();
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        for new in 0..to {
            let center = (new as f64 + 0.5) * scale;
            let first = (center - reach + 0.5).max(0.0) as usize;
            let last = ((center + reach + 0.5) as usize).min(from);
            let weight = |old: usize| (1.0 - ((old as f64 - center + 0.5) / reach).abs()).max(0.0);
            let total: f64 = (first..last).map(weight).sum();
            self.weights.extend((first..last).map(|old| (weight(old) / total) as f32));
            self.first.push(first);
            self.ends.push(self.weights.len());
        }
    }

    fn weights(&self) -> impl Iterator<Item = &[f32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.weights[start..end])
    }
}
