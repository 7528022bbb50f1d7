//! What a network says of the pixels of several views, brought back to the pixels of the image.

use gyrus_data::Geometry;

use super::{Output, View};

/// The least share of a view's middle that its edge has.
const EDGE: f32 = 1e-3;

/// Means over the views of an image of numbers for each of its pixels.
///
/// A view's numbers are interpolated bilinearly at the places of the image's pixels, and weigh less towards its edge, where
/// the network sees less around: by the product over both axes of the distance to the nearer edge. So tiles that overlap
/// pass into each other.
pub struct PixelMean {
    size: Geometry,
    num_channels: usize,
    /// `[H, W, channels]`.
    sums: Vec<f32>,
    /// `[H, W]`.
    weights: Vec<f32>,
}

impl PixelMean {
    /// Of nothing yet, for an image of this size with so many numbers a pixel.
    pub fn new(size: Geometry, num_channels: usize) -> Self {
        let num_pixels = size.height * size.width;
        PixelMean { size, num_channels, sums: vec![0.0; num_pixels * num_channels], weights: vec![0.0; num_pixels] }
    }

    /// Takes in an output `[channels, H, W]` of a view, H and W those of the frame; `activate` turns the interpolated
    /// numbers of a pixel into those of which the mean is taken.
    ///
    /// # Panics
    /// If the output has another number of channels.
    #[track_caller]
    pub fn add(&mut self, view: &View, output: &Output, activate: impl Fn(&mut [f32])) {
        let &[channels, height, width] = output.shape else {
            panic!("PixelMean: an output of shape {:?}: must be [channels, H, W]", output.shape)
        };
        assert!(channels == self.num_channels, "PixelMean: {channels} channels: must be {}", self.num_channels);
        let Some(inverse) = view.projection.inverse() else { return };
        let bounds = inverse.map_bounds([0.0, 0.0, width as f64, height as f64]);
        let within = |from: f64, to: f64, length: usize| {
            (from.floor().max(0.0) as usize).min(length)..(to.ceil().max(0.0) as usize).min(length)
        };
        let columns = within(bounds[0], bounds[2], self.size.width);
        let mut numbers = vec![0.0; channels];
        for row in within(bounds[1], bounds[3], self.size.height) {
            for column in columns.clone() {
                let [x, y] = view.projection.map([column as f64 + 0.5, row as f64 + 0.5]);
                if !(x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64) {
                    continue;
                }
                interpolate(output, [y, x], &mut numbers);
                activate(&mut numbers);
                let weight = (hat(x, width) * hat(y, height)).max(EDGE);
                let place = row * self.size.width + column;
                self.weights[place] += weight;
                let sums = &mut self.sums[place * channels..(place + 1) * channels];
                sums.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += weight * number);
            }
        }
    }

    /// The means, `[H, W, channels]`. Where no view was, as beside what a crop shows, they are those of the nearest pixel
    /// in the row, or of the nearest row.
    pub fn finish(mut self) -> Vec<f32> {
        for (sums, &weight) in self.sums.chunks_exact_mut(self.num_channels.max(1)).zip(&self.weights) {
            sums.iter_mut().filter(|_| weight > 0.0).for_each(|sum| *sum /= weight);
        }
        if self.weights.contains(&0.0) {
            self.extend();
        }
        self.sums
    }

    fn extend(&mut self) {
        let (width, channels) = (self.size.width, self.num_channels);
        let spread = |sums: &mut [f32], is_known: &mut [bool], step: usize| {
            let length = step * channels;
            let known: Vec<usize> = (0..is_known.len()).filter(|&place| is_known[place]).collect();
            let (Some(&first), Some(&last)) = (known.first(), known.last()) else { return };
            for place in (0..first).chain(last + 1..is_known.len()) {
                let source = place.clamp(first, last);
                sums.copy_within(source * length..(source + 1) * length, place * length);
            }
            is_known.fill(true);
        };
        let mut rows = vec![false; self.size.height];
        for (row, is_known) in rows.iter_mut().enumerate() {
            let range = row * width..(row + 1) * width;
            let mut places: Vec<bool> = self.weights[range.clone()].iter().map(|&weight| weight > 0.0).collect();
            spread(&mut self.sums[range.start * channels..range.end * channels], &mut places, 1);
            *is_known = places.contains(&true);
        }
        spread(&mut self.sums, &mut rows, width);
    }
}

/// 1 in the middle of an axis, 0 at its ends.
fn hat(place: f64, length: usize) -> f32 {
    let length = length as f64;
    (2.0 * place.min(length - place) / length) as f32
}

/// The numbers of an output `[channels, H, W]` at a place within the frame, in pixels from its upper left corner.
fn interpolate(output: &Output, [y, x]: [f64; 2], numbers: &mut [f32]) {
    let (height, width) = (output.shape[1], output.shape[2]);
    let axis = |place: f64, length: usize| {
        let place = (place - 0.5).clamp(0.0, (length - 1) as f64);
        (place as usize, place.fract() as f32)
    };
    let ((row, down), (column, right)) = (axis(y, height), axis(x, width));
    let at = row * width + column;
    let planes = output.values.chunks_exact(height * width).zip(numbers);
    if down == 0.0 && right == 0.0 {
        return planes.for_each(|(plane, number)| *number = plane[at]);
    }
    let (beside, below) = (usize::from(column + 1 < width), if row + 1 < height { width } else { 0 });
    for (plane, number) in planes {
        let mix = |at: usize| plane[at] + right * (plane[at + beside] - plane[at]);
        let (upper, lower) = (mix(at), mix(at + below));
        *number = upper + down * (lower - upper);
    }
}

#[cfg(test)]
mod tests {
    use gyrus_data::transforms::Projection;
    use gyrus_data::{Preprocess, Resize};

    use super::*;

    /// Numbers that are linear in the place on the image, as views of it have them, come back exactly.
    #[test]
    fn tiles_and_mirrored_views_give_back_a_linear_image() {
        let size = Geometry::new(41, 70, 1);
        let tiles = Preprocess::new(Geometry::new(32, 32, 1)).resized_to(32, 32, Resize::Window);
        let mut views = tiles.views(size);
        assert!(views.len() >= 6);
        let mirror = Projection::scaling(-1.0, 1.0).then(&Projection::shifting(32.0, 0.0));
        views.extend(views.clone().iter().map(|view| view.then(&mirror)));
        let mut mean = PixelMean::new(size, 2);
        for projection in views {
            let inverse = projection.inverse().unwrap();
            let at = |place: usize| inverse.map([(place % 32) as f64 + 0.5, (place / 32) as f64 + 0.5]);
            let values: Vec<f32> =
                (0..2 * 1024).map(|place| at(place % 1024)[place / 1024] as f32 * 0.25 - 3.0).collect();
            let output = Output { shape: &[2, 32, 32], values: &values };
            mean.add(&View { projection, outputs: vec![] }, &output, |numbers| numbers[1] *= 2.0);
        }
        let found = mean.finish();
        for (place, numbers) in found.chunks_exact(2).enumerate() {
            let (x, y) = ((place % 70) as f32 + 0.5, (place / 70) as f32 + 0.5);
            let expected = [x * 0.25 - 3.0, 2.0 * (y * 0.25 - 3.0)];
            assert!(numbers.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{place}: {numbers:?}");
        }
    }

    #[test]
    fn the_middle_of_a_tile_outweighs_the_edge_of_another() {
        let mut mean = PixelMean::new(Geometry::new(1, 12, 1), 1);
        for (start, value) in [(0.0, 0.0), (4.0, 1.0)] {
            let view = View { projection: Projection::shifting(-start, 0.0), outputs: vec![] };
            mean.add(&view, &Output { shape: &[1, 1, 8], values: &[value; 8] }, |_| {});
        }
        let found = mean.finish();
        assert_eq!((found[0], found[11]), (0.0, 1.0));
        // Of the eight pixels of a tile the fifth is 3.5 from its end; on the other tile it is the first, 0.5 from it.
        assert!((found[4] - 0.5 / 4.0).abs() < 1e-6, "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0] <= pair[1]), "{found:?}");
    }

    #[test]
    fn what_a_crop_leaves_out_is_as_its_edge() {
        let size = Geometry::new(4, 6, 1);
        let crop = Preprocess::new(Geometry::new(2, 2, 1)).resized_to(2, 2, Resize::Crop);
        let mut mean = PixelMean::new(size, 1);
        let view = View { projection: crop.projection(size), outputs: vec![] };
        mean.add(&view, &Output { shape: &[1, 2, 2], values: &[1.0, 2.0, 3.0, 4.0] }, |_| {});
        let found = mean.finish();
        assert_eq!((found[0], found[5], found[18], found[23]), (1.0, 2.0, 3.0, 4.0));
    }
}
