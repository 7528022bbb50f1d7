//! Numbers over a picture.

use crate::{Picture, viridis};

/// How much of a heat map's colour covers the picture.
const COVER: f32 = 0.6;

/// A number for each place of an image, row after row: finer or coarser than the image.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl HeatMap {
    /// A heat map of its numbers.
    ///
    /// # Panics
    /// If there are not `width * height` of them, or none.
    #[track_caller]
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Self {
        assert!(
            !values.is_empty() && values.len() == width * height,
            "HeatMap: {} numbers for {width}x{height}: there must be one a place",
            values.len(),
        );
        Self { width, height, values }
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The least and the greatest number; what is no number does not count.
    pub fn range(&self) -> (f32, f32) {
        let finite = self.values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high { (0.0, 0.0) } else { (low, high) }
    }

    /// The number for the pixel in column `x` and row `y` of an image of this size.
    pub fn at(&self, x: usize, y: usize, width: usize, height: usize) -> f32 {
        let place = |place: usize, length: usize, own: usize| (place as f32 + 0.5) * own as f32 / length as f32;
        self.between(place(x, width, self.width), place(y, height, self.height))
    }

    /// The number at a point, of which each number is at the middle of its place, between those around it (bilinear).
    pub fn between(&self, x: f32, y: f32) -> f32 {
        let axis = |place: f32, length: usize| {
            let place = (place - 0.5).clamp(0.0, (length - 1) as f32);
            let first = place as usize;
            (first, (first + 1).min(length - 1), place - first as f32)
        };
        let (left, right, x) = axis(x, self.width);
        let (top, bottom, y) = axis(y, self.height);
        let value = |column: usize, row: usize| self.values[row * self.width + column];
        let between = |row: usize| value(left, row) * (1.0 - x) + value(right, row) * x;
        between(top) * (1.0 - y) + between(bottom) * y
    }
}

impl Picture {
    /// Lays a heat map over the picture, which becomes grey, so that all colour is the map's: from `low` to `high` by
    /// [`viridis`].
    pub fn heat(&self, map: &HeatMap, (low, high): (f32, f32)) -> Picture {
        let mut picture = self.grey();
        let (width, height) = (self.width(), self.height());
        let scale = if high > low { 1.0 / (high - low) } else { 0.0 };
        for y in 0..height {
            for x in 0..width {
                let share = (map.at(x, y, width, height) - low) * scale;
                picture.blend(x, y, viridis(share), COVER);
            }
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Color;

    #[test]
    fn numbers_between_are_bilinear() {
        let map = HeatMap::new(2, 1, vec![0.0, 1.0]);
        // Middles of four columns at 0.25, 0.75, 1.25, 1.75 of two; as torch's interpolate with align_corners=False.
        let row: Vec<f32> = (0..4).map(|x| map.at(x, 0, 4, 3)).collect();
        assert_eq!(row, [0.0, 0.25, 0.75, 1.0]);
        assert_eq!(map.range(), (0.0, 1.0));
        assert_eq!(HeatMap::new(1, 1, vec![f32::NAN]).range(), (0.0, 0.0));
    }

    #[test]
    fn what_is_hot_is_light() {
        let picture = Picture::new(8, 8, Color([90, 120, 40]));
        let map = HeatMap::new(2, 2, vec![-1.0, 0.0, 0.0, 3.0]);
        let heat = picture.heat(&map, map.range());
        assert!(heat.pixel(7, 7).luminance() > 2.0 * heat.pixel(0, 0).luminance());
        let flat = picture.heat(&HeatMap::new(1, 1, vec![2.0]), (2.0, 2.0));
        assert_eq!(flat.pixel(0, 0), flat.pixel(7, 7));
    }
}
