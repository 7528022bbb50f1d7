//! An explanation over its image.

use gyrus_data::ImageBuffer;
use gyrus_data::transforms::Projection;
use gyrus_draw::{HeatMap, Picture, grid};

use super::Attribution;
use crate::vision::draw::shown;

/// The longer side of a picture, at most.
const SIDE: usize = 800;

/// The share of numbers beyond which all are shown alike: a few pixels of a gradient are far beyond the others.
const BRIGHTEST: f64 = 0.995;

impl Attribution {
    /// The image beside itself with the map over it, and the scale below. `projection` leads from the pixels of the image
    /// to those of the frame of `size` (height, width) that the network saw; what it did not see is as dark as can be.
    pub fn over(&self, image: &ImageBuffer, projection: &Projection, size: [usize; 2], caption: &str) -> Picture {
        let picture = shown(image, SIDE);
        let geometry = image.geometry();
        let (width, height) = (picture.width(), picture.height());
        let (low, high) = self.shown_range();
        let to_map = [self.map.width() as f64 / size[1] as f64, self.map.height() as f64 / size[0] as f64];
        let number = |place: usize| {
            let x = ((place % width) as f64 + 0.5) * geometry.width as f64 / width as f64;
            let y = ((place / width) as f64 + 0.5) * geometry.height as f64 / height as f64;
            let [x, y] = projection.map([x, y]);
            let is_seen = x >= 0.0 && y >= 0.0 && x <= size[1] as f64 && y <= size[0] as f64;
            if is_seen { self.map.between((x * to_map[0]) as f32, (y * to_map[1]) as f32) } else { low }
        };
        let spread = HeatMap::new(width, height, (0..width * height).map(number).collect());
        let heat = picture.heat(&spread, (low, high)).with_scale((low, high));
        grid(&[(picture, "image".to_owned()), (heat, caption.to_owned())], 2)
    }

    /// What the darkest and the lightest colour stand for: 0, or below it the least, and nearly the greatest.
    fn shown_range(&self) -> (f32, f32) {
        let mut sorted: Vec<f32> = self.map.values().iter().copied().filter(|value| value.is_finite()).collect();
        if sorted.is_empty() {
            return (0.0, 0.0);
        }
        sorted.sort_by(f32::total_cmp);
        let high = sorted[((sorted.len() - 1) as f64 * BRIGHTEST).round() as usize];
        (sorted[0].min(0.0), high.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use gyrus_data::{Geometry, Preprocess, Resize};

    use super::*;

    #[test]
    fn the_map_lies_where_the_network_saw_it() {
        // A wide image in a square frame: bars above and below.
        let image = ImageBuffer::from_pixels(Geometry::new(240, 480, 3), vec![0.5; 3 * 240 * 480]);
        let preprocess = Preprocess::new(image.geometry()).resized_to(8, 8, Resize::Letterbox);
        let projection = preprocess.projection(image.geometry());
        // Hot in row 2 and column 1 of the frame: the first row of the image, the second of eight columns.
        let map = HeatMap::new(8, 8, (0..64).map(|place| if place == 2 * 8 + 1 { 1.0 } else { 0.0 }).collect());
        let attribution = Attribution { map, gap: None };
        let picture = attribution.over(&image, &projection, [8, 8], "gradcam");
        // The overlay is in the right half.
        let left = picture.width() - 480 - (picture.width() - 960) / 3;
        let top = (0..picture.height()).find(|&y| picture.pixel(left + 240, y) != gyrus_draw::Color::WHITE).unwrap();
        let light = |x: usize, y: usize| picture.pixel(left + x, top + 30 + y).luminance();
        let (hot, cold) = (light(90, 0), light(400, 150));
        assert!(hot > 2.0 * cold, "{hot} {cold}");
    }
}
