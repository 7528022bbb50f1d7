//! How a picture is to be turned.

use crate::{Geometry, ImageBuffer};

/// What EXIF and TIFF note down of how the camera was held: 1 to 8.
///
/// # Source
/// EXIF 2.32, section 4.6.4, tag 0x0112.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orientation(u16);

impl Default for Orientation {
    /// As it is.
    fn default() -> Self {
        Self(1)
    }
}

impl Orientation {
    pub(super) const TAG: u16 = 0x0112;

    /// Of the value in a file; nothing if it is none that there is.
    pub(super) fn from_value(value: u16) -> Option<Self> {
        (1..=8).contains(&value).then_some(Self(value))
    }

    /// Of EXIF data; nothing if they tell none.
    pub(super) fn from_exif(exif: &[u8]) -> Option<Self> {
        const SHORT: u16 = 3;
        let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let is_little = match exif.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let bytes_at = |place: usize, length: usize| {
            let bytes = exif.get(place..place.checked_add(length)?)?.iter();
            let number = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
            Some(if is_little { bytes.rev().fold(0, number) } else { bytes.fold(0, number) })
        };
        let short_at = |place| bytes_at(place, 2).map(|number| number as u16);
        let directory = bytes_at(4, 4)? as usize;
        (0..short_at(directory)?)
            .map(|entry| directory + 2 + 12 * usize::from(entry))
            .find(|&entry| short_at(entry) == Some(Self::TAG) && short_at(entry + 2) == Some(SHORT))
            .and_then(|entry| Self::from_value(short_at(entry + 8)?))
    }

    /// Whether rows become columns.
    fn swaps_axes(self) -> bool {
        self.0 >= 5
    }

    /// Height and width upright.
    pub(crate) fn size(self, [height, width]: [usize; 2]) -> [usize; 2] {
        if self.swaps_axes() { [width, height] } else { [height, width] }
    }

    /// Turns an image upright.
    pub(crate) fn apply(self, image: &mut ImageBuffer) {
        if self == Self::default() {
            return;
        }
        let from_below = matches!(self.0, 3 | 4 | 6 | 7);
        let from_right = matches!(self.0, 2 | 3 | 7 | 8);
        let lying = image.clone();
        let Geometry { height, width, channels } = lying.geometry();
        let [new_height, new_width] = self.size([height, width]);
        image.reshape(Geometry::new(new_height, new_width, channels));
        for (channel, plane) in image.pixels_mut().chunks_exact_mut((height * width).max(1)).enumerate() {
            let lying = lying.channel(channel);
            for (place, pixel) in plane.iter_mut().enumerate() {
                let (row, column) = (place / new_width, place % new_width);
                let (row, column) = if self.swaps_axes() { (column, row) } else { (row, column) };
                let row = if from_below { height - 1 - row } else { row };
                let column = if from_right { width - 1 - column } else { column };
                *pixel = lying[row * width + column];
            }
        }
    }
}
