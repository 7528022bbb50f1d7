//! Left and right change places.

use crate::ImageBuffer;
use crate::random::RandomStream;

/// Mirrors the image, left to right, with some probability. Not for digits, text or left and right hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Flip {
    /// In `0..=1`.
    pub probability: f32,
}

impl Flip {
    pub(super) fn apply(&self, image: &mut ImageBuffer, random: &mut RandomStream) {
        let width = image.geometry().width.max(1);
        if random.uniform() < self.probability {
            image.pixels_mut().chunks_exact_mut(width).for_each(|row| row.reverse());
        }
    }
}
