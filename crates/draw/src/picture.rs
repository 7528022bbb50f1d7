//! The picture itself.

use crate::{Color, Style};

/// A picture in colour: three bytes a pixel, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    pub fn new(width: usize, height: usize, color: Color) -> Self {
        Self { width, height, pixels: color.0.repeat(width * height) }
    }

    /// A picture of an image that lies channel after channel, 0 for black and 1 for white; numbers beyond are cut off.
    /// Three channels are red, green and blue; of any other number the first is shown in grey.
    ///
    /// # Shapes
    /// `pixels` `[C, H, W]`.
    ///
    /// # Panics
    /// If the number of pixels is not `channels * height * width`, or there is no channel.
    #[track_caller]
    pub fn from_planar(channels: usize, height: usize, width: usize, pixels: &[f32]) -> Self {
        let area = height * width;
        assert!(
            channels > 0 && pixels.len() == channels * area,
            "Picture: {} numbers and {channels}x{height}x{width}: there must be one for each channel and pixel",
            pixels.len(),
        );
        let byte = |channel: usize, place: usize| {
            let channel = if channels == 3 { channel } else { 0 };
            (pixels[channel * area + place].clamp(0.0, 1.0) * 255.0).round() as u8
        };
        let pixels = (0..area).flat_map(|place| [0, 1, 2].map(|channel| byte(channel, place))).collect();
        Self { width, height, pixels }
    }

    /// A picture of its bytes: red, green and blue of each pixel, row after row.
    ///
    /// # Panics
    /// If there are not `3 * width * height` of them.
    #[track_caller]
    pub fn from_bytes(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert!(
            pixels.len() == 3 * width * height,
            "Picture: {} bytes for {width}x{height}: there must be three a pixel",
            pixels.len(),
        );
        Self { width, height, pixels }
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All bytes: red, green and blue of each pixel, row after row.
    pub fn bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// The widths and sizes that suit it.
    pub fn style(&self) -> Style {
        Style::of(self.width, self.height)
    }

    /// The colour in column `x` and row `y`.
    ///
    /// # Panics
    /// If it is outside the picture.
    #[track_caller]
    pub fn pixel(&self, x: usize, y: usize) -> Color {
        let place = self.place(x, y);
        Color([self.pixels[place], self.pixels[place + 1], self.pixels[place + 2]])
    }

    /// Gives a pixel a colour that covers a share of what is there, from 0 to 1.
    ///
    /// # Panics
    /// If it is outside the picture.
    #[track_caller]
    pub fn blend(&mut self, x: usize, y: usize, color: Color, cover: f32) {
        let new = color.over(self.pixel(x, y), cover);
        let place = self.place(x, y);
        self.pixels[place..place + 3].copy_from_slice(&new.0);
    }

    /// Fills the part of a rectangle that is inside the picture: columns `left..right` and rows `top..bottom`.
    pub fn fill(&mut self, [left, top, right, bottom]: [usize; 4], color: Color) {
        for y in top..bottom.min(self.height) {
            for x in left..right.min(self.width) {
                let place = 3 * (y * self.width + x);
                self.pixels[place..place + 3].copy_from_slice(&color.0);
            }
        }
    }

    /// Lays another picture over this one, its upper left corner in column `left` and row `top`; what is beyond this
    /// picture is cut off.
    pub fn paste(&mut self, other: &Picture, left: usize, top: usize) {
        let columns = other.width.min(self.width.saturating_sub(left));
        for y in 0..other.height.min(self.height.saturating_sub(top)) {
            let from = 3 * y * other.width;
            let to = 3 * ((top + y) * self.width + left);
            self.pixels[to..to + 3 * columns].copy_from_slice(&other.pixels[from..from + 3 * columns]);
        }
    }

    /// The picture in shades of grey, as bright as it was.
    pub fn grey(&self) -> Picture {
        let grey = |pixel: &[u8]| {
            // Rec. 601, as in JPEG and Pillow.
            let luma = 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
            [luma.round() as u8; 3]
        };
        let pixels = self.pixels.chunks_exact(3).flat_map(grey).collect();
        Picture { pixels, ..*self }
    }

    #[track_caller]
    fn place(&self, x: usize, y: usize) -> usize {
        assert!(
            x < self.width && y < self.height,
            "Picture: pixel ({x}, {y}) of a picture of {} x {}: it must be inside",
            self.width,
            self.height,
        );
        3 * (y * self.width + x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels() {
        let colour = Picture::from_planar(3, 1, 2, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.2]);
        assert_eq!(colour.bytes(), [255, 0, 0, 0, 255, 51]);
        let grey = Picture::from_planar(2, 1, 2, &[0.0, 7.0, 0.5, 0.5]);
        assert_eq!(grey.bytes(), [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn what_is_pasted_beyond_the_border_is_cut_off() {
        let mut picture = Picture::new(3, 2, Color::WHITE);
        picture.paste(&Picture::new(5, 5, Color::BLACK), 2, 1);
        let dark =
            (0..2).flat_map(|y| (0..3).map(move |x| (x, y))).filter(|&(x, y)| picture.pixel(x, y) == Color::BLACK);
        assert_eq!(dark.collect::<Vec<_>>(), [(2, 1)]);
        let before = picture.clone();
        picture.paste(&Picture::new(1, 1, Color::BLACK), 7, 7);
        picture.fill([5, 5, 9, 9], Color::BLACK);
        assert_eq!(picture, before);
    }
}
