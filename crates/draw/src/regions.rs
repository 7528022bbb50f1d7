//! Masks over a picture.

use crate::{Color, Picture};

/// How much of the colour of a region covers what is below, and its border.
const COVER: f32 = 0.42;
const BORDER_COVER: f32 = 0.9;

impl Picture {
    /// Colours regions: each pixel has the number of its region, or none, and `color` gives the colour of a number.
    /// Borders are drawn stronger. The regions are given in `rows` of `columns`, spread over the whole picture.
    ///
    /// # Panics
    /// If there are not `columns * rows` numbers.
    #[track_caller]
    pub fn tint(&mut self, columns: usize, rows: usize, regions: &[Option<u32>], color: impl Fn(u32) -> Option<Color>) {
        assert!(
            regions.len() == columns * rows,
            "Picture: {} numbers of regions for {columns}x{rows}: there must be one a pixel",
            regions.len(),
        );
        let (width, height, reach) = (self.width(), self.height(), self.style().line);
        let region = |x: usize, y: usize| regions[(y * rows / height) * columns + x * columns / width];
        for y in 0..height {
            for x in 0..width {
                let own = region(x, y);
                let Some(color) = own.and_then(&color) else { continue };
                let is_other = |distance: usize| {
                    (x >= distance && region(x - distance, y) != own)
                        || (x + distance < width && region(x + distance, y) != own)
                        || (y >= distance && region(x, y - distance) != own)
                        || (y + distance < height && region(x, y + distance) != own)
                };
                let is_border = (1..=reach).any(is_other);
                self.blend(x, y, color, if is_border { BORDER_COVER } else { COVER });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_coloured_with_their_borders() {
        let mut picture = Picture::new(12, 6, Color::WHITE);
        // Half as fine as the picture: nothing, region 1, region 2 (without a colour).
        let regions: Vec<Option<u32>> =
            (0..18).map(|place| [None, None, Some(1), Some(1), Some(1), Some(2)][place % 6]).collect();
        picture.tint(6, 3, &regions, |number| (number == 1).then_some(Color::BLACK));
        let row: Vec<u8> = (0..12).map(|x| picture.pixel(x, 3).0[0]).collect();
        let (inside, border) = (148, 26);
        assert_eq!(row, [255, 255, 255, 255, border, inside, inside, inside, inside, border, 255, 255]);
    }
}
