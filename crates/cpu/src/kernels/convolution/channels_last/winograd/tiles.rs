//! Where the tiles lie on the images.

use std::ops::Range;

use super::minimal::{OUTPUTS, POINTS};
use super::transform::PLACES;
use crate::kernels::convolution::geometry::Geometry;

/// The tiles of all results: squares of [`OUTPUTS`] places, which meet squares of [`POINTS`] places of the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    images: usize,
    /// Height and width.
    input: [usize; 2],
    output: [usize; 2],
    /// Where the input begins in the padded one.
    low: [i64; 2],
    /// Tiles of an image along both axes.
    counts: [usize; 2],
}

/// Neighbouring tiles in one row of tiles of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// The first place of the first, in all results.
    pub(super) start: usize,
    /// Lines and columns of places.
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Tiles {
    pub(super) fn new(geometry: &Geometry) -> Self {
        let [_, height, width] = geometry.axes;
        Tiles {
            images: geometry.images,
            input: [height.input, width.input],
            output: [height.output, width.output],
            low: [height.low, width.low],
            counts: [height.output, width.output].map(|size| size.div_ceil(OUTPUTS)),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.images * self.counts[0] * self.counts[1]
    }

    /// Places of a line of the result.
    pub(super) fn width(&self) -> usize {
        self.output[1]
    }

    /// Image, row and column of a tile.
    fn position(&self, tile: usize) -> [usize; 3] {
        let [rows, columns] = self.counts;
        [tile / (rows * columns), tile / columns % rows, tile % columns]
    }

    /// The places of the input that a tile meets, row by row; `outside` stands for those beyond its edges.
    pub(super) fn inputs(
        &self,
        tile: usize,
        x: *const f32,
        channels: usize,
        outside: *const f32,
    ) -> [*const f32; PLACES] {
        let [image, row, column] = self.position(tile);
        let start = [row, column].map(|index| (index * OUTPUTS) as i64);
        let start = [start[0] - self.low[0], start[1] - self.low[1]];
        places::<POINTS>(self.input, image, start, x.cast_mut(), channels, outside.cast_mut())
            .map(<*mut f32>::cast_const)
    }

    /// The places of a tile of the result, likewise.
    pub(super) fn outputs(&self, tile: usize, y: *mut f32, channels: usize, outside: *mut f32) -> [*mut f32; PLACES] {
        let [image, row, column] = self.position(tile);
        let start = [row, column].map(|index| (index * OUTPUTS) as i64);
        places::<OUTPUTS>(self.output, image, start, y, channels, outside)
    }

    /// The parts of the result that neighbouring tiles make up.
    pub(super) fn lines(&self, tiles: Range<usize>) -> impl Iterator<Item = Lines> {
        let mut at = tiles.start;
        let [height, width] = self.output;
        std::iter::from_fn(move || {
            let [image, row, column] = self.position(at);
            let count = (self.counts[1] - column).min(tiles.end - at);
            at += count;
            let [row, column] = [row * OUTPUTS, column * OUTPUTS];
            let start = (image * height + row) * width + column;
            (count > 0).then(|| Lines {
                start,
                rows: OUTPUTS.min(height - row),
                columns: (count * OUTPUTS).min(width - column),
            })
        })
    }
}

/// The places of a square on an image that begins at `start`, which may be outside.
#[inline(always)]
fn places<const SIZE: usize>(
    [height, width]: [usize; 2],
    image: usize,
    start: [i64; 2],
    images: *mut f32,
    channels: usize,
    outside: *mut f32,
) -> [*mut f32; PLACES] {
    let mut places = [outside; PLACES];
    for row in 0..SIZE {
        let y = start[0] + row as i64;
        if y < 0 || y >= height as i64 {
            continue;
        }
        let line = images.wrapping_add((image * height + y as usize) * width * channels);
        for column in 0..SIZE {
            let x = start[1] + column as i64;
            if x >= 0 && x < width as i64 {
                places[row * SIZE + column] = line.wrapping_add(x as usize * channels);
            }
        }
    }
    places
}
