//! From prototypes and coefficients to the pixels of objects.

use gyrus_data::Geometry;
use gyrus_data::transforms::Projection;
use gyrus_geometry::{RunLengthMask, Xyxy};

use crate::vision::View;

/// The prototypes of a view.
pub struct Prototypes {
    /// From the pixels of the image to those of the prototypes.
    projection: Projection,
    height: usize,
    width: usize,
    /// `[prototypes, height, width]`.
    values: Vec<f32>,
}

impl Prototypes {
    /// Of a view whose last output is prototypes `[K, h, w]`, of a frame of this height in pixels.
    pub fn of(view: &View, frame_height: usize) -> Prototypes {
        let output = view.outputs.last().expect("prototypes");
        let &[_, height, width] = output.shape else { panic!("prototypes have three axes") };
        let scale = height as f64 / frame_height as f64;
        let projection = view.projection.then(&Projection::scaling(scale, scale));
        Prototypes { projection, height, width, values: output.values.to_vec() }
    }

    /// The pixels of an image of this size, within a box, that an object of these coefficients covers: where the sum of
    /// the prototypes, weighed by them and interpolated bilinearly, is above 0.
    pub fn mask(&self, coefficients: &[f32], bounds: &Xyxy, size: Geometry) -> RunLengthMask {
        let [left, top, right, bottom] = [bounds.left, bounds.top, bounds.right, bounds.bottom];
        let area = self.projection.map_bounds([left, top, right, bottom]);
        // The part of the prototypes that is needed, with a pixel more on each side.
        let from = |low: f64| (low - 1.0).floor().max(0.0) as usize;
        let to = |high: f64, limit: usize| ((high + 1.0).ceil().max(0.0) as usize).min(limit);
        let columns = from(area[0]).min(self.width - 1)..to(area[2], self.width).max(1);
        let rows = from(area[1]).min(self.height - 1)..to(area[3], self.height).max(1);
        let mut logits = vec![0.0f32; columns.len() * rows.len()];
        for (coefficient, prototype) in coefficients.iter().zip(self.values.chunks_exact(self.height * self.width)) {
            for (row, logits) in rows.clone().zip(logits.chunks_exact_mut(columns.len())) {
                let values = &prototype[row * self.width..][columns.clone()];
                logits.iter_mut().zip(values).for_each(|(logit, value)| *logit += coefficient * value);
            }
        }
        let at = |x: f64, y: f64| -> f32 {
            let along = |place: f64, start: usize, count: usize| {
                let place = (place - 0.5 - start as f64).clamp(0.0, (count - 1) as f64);
                (place as usize, (place as usize + 1).min(count - 1), place.fract() as f32)
            };
            let (x0, x1, u) = along(x, columns.start, columns.len());
            let (y0, y1, v) = along(y, rows.start, rows.len());
            let row = |y: usize| {
                let row = &logits[y * columns.len()..][..columns.len()];
                row[x0] * (1.0 - u) + row[x1] * u
            };
            row(y0) * (1.0 - v) + row(y1) * v
        };
        let pixel = |x: usize, y: usize| {
            let [x, y] = self.projection.map([x as f64 + 0.5, y as f64 + 0.5]);
            at(x, y) > 0.0
        };
        // A pixel belongs to the box if its middle does.
        let within = |low: f64, high: f64, limit: usize| {
            let [start, end] = [low, high].map(|side| ((side - 0.5).ceil().max(0.0) as usize).min(limit));
            start..end.max(start)
        };
        runs_of(size, within(left, right, size.width), within(top, bottom, size.height), pixel)
    }
}

/// The pixels within columns and rows of which `is_inside(x, y)` says so.
fn runs_of(
    size: Geometry,
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    is_inside: impl Fn(usize, usize) -> bool,
) -> RunLengthMask {
    // Lengths of runs outside and inside in turn, column after column.
    let (mut runs, mut end) = (vec![], 0u64);
    for x in columns {
        for y in rows.clone().filter(|&y| is_inside(x, y)) {
            let place = (x * size.height + y) as u64;
            match runs.last_mut() {
                Some(length) if place == end => *length += 1,
                _ => runs.extend([place - end, 1]),
            }
            end = place + 1;
        }
    }
    runs.push(size.num_pixels() as u64 - end);
    RunLengthMask::from_runs(size.width, size.height, &runs).expect("runs of all pixels")
}

#[cfg(test)]
mod tests {
    use gyrus_geometry::{Mask, Region};

    use super::*;
    use crate::vision::Output;

    /// A prototype that rises to the right and one that is constant make a mask that begins where their sum does.
    #[test]
    fn a_mask_is_a_sum_of_prototypes_within_a_box() {
        let ramp: Vec<f32> = (0..6).flat_map(|_| (0..8).map(|x| x as f32 + 0.5)).collect();
        let values = [ramp, vec![1.0; 48]].concat();
        // The image is the frame, of which prototypes have a quarter of the pixels along each axis.
        let outputs = vec![Output { shape: &[2, 6, 8], values: &values }];
        let view = View { projection: Projection::default(), outputs };
        let size = Geometry::new(24, 32, 3);
        let prototypes = Prototypes::of(&view, 24);
        let bounds = Xyxy::new(4.0, 3.0, 25.0, 20.0);
        let found = prototypes.mask(&[1.0, -3.0], &bounds, size);
        let expected = Mask::from_fn(32, 24, |x, y| (12..25).contains(&x) && (3..20).contains(&y));
        assert_eq!(found, RunLengthMask::from(&expected));
        assert_eq!(prototypes.mask(&[0.0, -1.0], &bounds, size).area(), 0.0);
        assert_eq!(prototypes.mask(&[0.0, 1.0], &Xyxy::new(0.0, 0.0, 32.0, 24.0), size).area(), 32.0 * 24.0);
    }
}
