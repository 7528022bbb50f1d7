//! One image in memory.

use crate::dataset::Geometry;

/// One image: 32-bit floats, channel after channel (CHW), rows from top to bottom. Bytes and the samples of image files
/// are scaled so that 0 is black and 1 is white; other numbers stand as they were read.
///
/// A buffer is meant to be used again and again: it keeps its memory when it is given another shape.
///
/// ```
/// use gyrus_data::{Geometry, ImageBuffer};
/// let image = ImageBuffer::from_pixels(Geometry::new(1, 2, 3), vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
/// assert_eq!(image.channel(1), [0.3, 0.4]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageBuffer {
    geometry: Geometry,
    pixels: Vec<f32>,
}

impl ImageBuffer {
    /// An image of no pixels, to read into.
    pub fn new() -> Self {
        Self::default()
    }

    /// An image of these pixels (CHW).
    ///
    /// # Panics
    /// If the number of pixels is not that of the geometry.
    #[track_caller]
    pub fn from_pixels(geometry: Geometry, pixels: Vec<f32>) -> Self {
        let expected = geometry.num_elements();
        assert_eq!(pixels.len(), expected, "ImageBuffer: {geometry} wants {expected} numbers, got {}", pixels.len());
        Self { geometry, pixels }
    }

    /// Height, width and number of channels.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// All numbers (CHW).
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// All numbers (CHW), to change.
    pub fn pixels_mut(&mut self) -> &mut [f32] {
        &mut self.pixels
    }

    /// The rows of one channel.
    ///
    /// # Panics
    /// If there is no such channel.
    #[track_caller]
    pub fn channel(&self, channel: usize) -> &[f32] {
        let size = self.geometry.num_pixels();
        &self.pixels[channel * size..(channel + 1) * size]
    }

    /// Gives the image another shape. What it shows afterwards is undefined; memory is kept.
    pub fn reshape(&mut self, geometry: Geometry) {
        self.geometry = geometry;
        self.pixels.resize(geometry.num_elements(), 0.0);
    }
}
