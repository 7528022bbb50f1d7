//! The shape of an image.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Height and width in pixels, and the number of channels (1 is grey, 3 is red, green, blue).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Geometry {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Numbers a pixel.
    pub channels: usize,
}

impl Geometry {
    /// Height, width, channels.
    pub fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// Height times width.
    pub fn num_pixels(&self) -> usize {
        self.height * self.width
    }

    /// Height times width times channels.
    pub fn num_elements(&self) -> usize {
        self.num_pixels() * self.channels
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{} ", self.height, self.width)?;
        match self.channels {
            1 => write!(formatter, "grey"),
            3 => write!(formatter, "RGB"),
            other => write!(formatter, "with {other} channels"),
        }
    }
}
