use crate::{GeometryError, Region, Result, RunLengthMask, Xyxy};

/// A set of pixels of a picture, one truth value each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    pixels: Vec<bool>,
}

impl Mask {
    /// No pixel of a picture of `width x height`.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![false; width * height] }
    }

    /// A mask of its pixels, row after row.
    ///
    /// # Errors
    /// If there are not `width * height` of them.
    pub fn from_pixels(width: usize, height: usize, pixels: Vec<bool>) -> Result<Self> {
        if pixels.len() != width * height {
            return Err(GeometryError::PixelCount { found: pixels.len(), width, height });
        }
        Ok(Self { width, height, pixels })
    }

    /// The pixels of which `is_inside(x, y)` says so.
    pub fn from_fn(width: usize, height: usize, is_inside: impl Fn(usize, usize) -> bool) -> Self {
        let row = |y: usize| (0..width).map(move |x| (x, y));
        let pixels = (0..height).flat_map(row).map(|(x, y)| is_inside(x, y)).collect();
        Self { width, height, pixels }
    }

    /// The picture's width.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The picture's height.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row after row.
    pub fn pixels(&self) -> &[bool] {
        &self.pixels
    }

    /// Whether the pixel in column `x` and row `y` is of the set.
    ///
    /// # Panics
    /// If it is outside the picture.
    #[track_caller]
    pub fn contains(&self, x: usize, y: usize) -> bool {
        self.pixels[self.place(x, y)]
    }

    /// Takes the pixel in column `x` and row `y` into the set, or out of it.
    ///
    /// # Panics
    /// If it is outside the picture.
    #[track_caller]
    pub fn set(&mut self, x: usize, y: usize, is_inside: bool) {
        let place = self.place(x, y);
        self.pixels[place] = is_inside;
    }

    /// The smallest box that holds the set, all zeros of an empty one.
    pub fn bounding_box(&self) -> Xyxy {
        RunLengthMask::from(self).bounding_box()
    }

    #[track_caller]
    fn place(&self, x: usize, y: usize) -> usize {
        assert!(
            x < self.width && y < self.height,
            "Mask: pixel ({x}, {y}) of a picture of {} x {}: it must be inside",
            self.width,
            self.height,
        );
        y * self.width + x
    }
}

impl Region for Mask {
    fn area(&self) -> f64 {
        self.pixels.iter().filter(|&&is_inside| is_inside).count() as f64
    }

    /// # Panics
    /// If the masks are of pictures of different size.
    #[track_caller]
    fn intersection(&self, other: &Self) -> f64 {
        assert!(
            (self.width, self.height) == (other.width, other.height),
            "Mask: {} x {} and {} x {}: masks are compared within one picture",
            self.width,
            self.height,
            other.width,
            other.height,
        );
        self.pixels.iter().zip(&other.pixels).filter(|&(&a, &b)| a && b).count() as f64
    }
}
