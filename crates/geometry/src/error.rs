use thiserror::Error;

/// Why an annotation could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GeometryError {
    /// The pixels of a mask are not as many as its sides say.
    #[error("{found} pixels for a mask of {width} x {height}: there must be {}", width * height)]
    PixelCount {
        /// The pixels given.
        found: usize,
        /// The mask's width.
        width: usize,
        /// The mask's height.
        height: usize,
    },
    /// The run lengths of a mask do not add up to its pixels.
    #[error(
        "run lengths that sum to {found} for a mask of {width} x {height}: they must sum to {}; \
         are width and height (COCO's `size` is [height, width]) in the right order?",
        width * height
    )]
    RunLengths {
        /// The sum of the runs.
        found: u128,
        /// The mask's width.
        width: usize,
        /// The mask's height.
        height: usize,
    },
    /// A compressed string of run lengths has a letter that stands for nothing.
    #[error("compressed run lengths: byte {byte:#04x} at place {place} is not one of `0` to `o`")]
    CompressedByte {
        /// The byte.
        byte: u8,
        /// Its place in the string, from 0.
        place: usize,
    },
    /// A compressed string of run lengths ends within a number, or holds a number that cannot be a length.
    #[error("compressed run lengths: the number that ends at place {place} is cut off, negative or too large")]
    CompressedNumber {
        /// Where in the string, from 0.
        place: usize,
    },
    /// A list of coordinates is not one of points.
    #[error("a polygon of {found} coordinates: there must be an even number, x and y of each corner in turn")]
    Coordinates {
        /// The numbers given.
        found: usize,
    },
}
