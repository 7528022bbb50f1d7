//! Drawing an image through a projective map, with one resampling.

use crate::transforms::axis_weights::AxisWeights;
use crate::transforms::{Projection, Scratch};
use crate::{Geometry, ImageBuffer};

/// What is seen where there is no source pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outside {
    /// One value.
    Fill(f32),
    /// The nearest pixel of the source's edge.
    Edge,
    /// What was there before.
    Keep,
}

/// A part of an image in whole pixels: left, top, right, bottom, the latter two exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// The column after the last.
    pub right: usize,
    /// The row after the last.
    pub bottom: usize,
}

impl Area {
    /// All of an image.
    pub fn whole(geometry: Geometry) -> Self {
        Self { left: 0, top: 0, right: geometry.width, bottom: geometry.height }
    }

    /// The number of its pixels.
    pub fn num_pixels(&self) -> usize {
        self.right.saturating_sub(self.left) * self.bottom.saturating_sub(self.top)
    }
}

/// Draws `source` into an area of `target`: a pixel of the target whose middle is at `p` shows the source at
/// `projection^-1(p)`. Both have the same number of channels.
///
/// Where axes stay axes (scaling, cutting, mirroring, padding) this is the definition of [`resize`](super::resize): an
/// average over a triangle as wide as two new pixels where the image shrinks, bilinear where it grows, exact copies
/// where it is shifted by whole pixels. Else it is bilinear, after the mean over squares of whole pixels where the image
/// shrinks to a half or less. A map without a way back shows nothing of the source.
pub fn warp(
    source: &ImageBuffer,
    target: &mut ImageBuffer,
    projection: &Projection,
    area: Area,
    outside: Outside,
    scratch: &mut Scratch,
) {
    let from = source.geometry();
    assert_eq!(from.channels, target.geometry().channels, "warp: source and target have as many channels");
    if area.num_pixels() == 0 || from.channels == 0 {
        return;
    }
    let inverse = projection.inverse().filter(|_| from.num_pixels() > 0);
    let (Some(inverse), axes) = (inverse, projection.axes()) else {
        return fill(target, area, outside);
    };
    if let Some([x, y]) = axes {
        return separable(source, target, area, outside, scratch, |columns, rows| {
            columns.prepare(from.width, x, area.left..area.right, outside == Outside::Edge);
            rows.prepare(from.height, y, area.top..area.bottom, outside == Outside::Edge);
        });
    }
    let center = [(area.left + area.right) as f64 / 2.0, (area.top + area.bottom) as f64 / 2.0];
    // The magnification of the way back is by how much the image shrinks.
    let side = inverse.magnification(center).min(from.height.min(from.width) as f64) as usize;
    if side < 2 {
        return bilinear(source, target, &inverse, area, outside);
    }
    let mut reduced = std::mem::take(&mut scratch.reduced);
    average_squares(source, side, &mut reduced);
    let inverse = inverse.then(&Projection::scaling(1.0 / side as f64, 1.0 / side as f64));
    bilinear(&reduced, target, &inverse, area, outside);
    scratch.reduced = reduced;
}

fn fill(target: &mut ImageBuffer, area: Area, outside: Outside) {
    // An image without pixels has no edge either.
    let value = match outside {
        Outside::Fill(value) => value,
        Outside::Edge => 0.0,
        Outside::Keep => return,
    };
    if area.num_pixels() > 0 {
        let Geometry { width, height, .. } = target.geometry();
        for channel in target.pixels_mut().chunks_exact_mut(width * height) {
            for row in channel.chunks_exact_mut(width).take(area.bottom).skip(area.top) {
                row[area.left..area.right].fill(value);
            }
        }
    }
}

/// Rows first, then columns: most images shrink, and then there are fewer rows left for the slower of the two. Rows are
/// taken eight at a time, side by side, so that both loops run in vector registers.
pub(super) fn separable(
    source: &ImageBuffer,
    target: &mut ImageBuffer,
    area: Area,
    outside: Outside,
    scratch: &mut Scratch,
    prepare: impl FnOnce(&mut AxisWeights, &mut AxisWeights),
) {
    const LANES: usize = 8;
    let (from, to) = (source.geometry(), target.geometry());
    let Scratch { columns, rows, lanes, line, .. } = scratch;
    prepare(columns, rows);
    let (seen_columns, seen_rows) = (columns.seen(), rows.seen());
    let bare = [
        Area { bottom: area.top + seen_rows.start, ..area },
        Area { top: area.top + seen_rows.end, ..area },
        Area { right: area.left + seen_columns.start, ..area },
        Area { left: area.left + seen_columns.end, ..area },
    ];
    bare.into_iter().for_each(|bare| fill(target, bare, outside));
    if seen_columns.is_empty() || seen_rows.is_empty() {
        return;
    }
    // Only these columns of the source are seen.
    let window = columns.sources();
    line.resize(window.len(), 0.0);
    lanes.resize(window.len(), [0.0; LANES]);
    let inputs = source.pixels().chunks_exact(from.num_pixels());
    for (input, output) in inputs.zip(target.pixels_mut().chunks_exact_mut(to.num_pixels())) {
        for start in seen_rows.clone().step_by(LANES) {
            let count = LANES.min(seen_rows.end - start);
            for lane in 0..count {
                let (first, weights) = rows.of(start + lane);
                let line = sum_of_rows(input, from.width, window.clone(), first, weights, line);
                lanes.iter_mut().zip(line).for_each(|(lanes, value)| lanes[lane] = *value);
            }
            let top = area.top + start;
            for column in seen_columns.clone() {
                let (first, weights) = columns.of(column);
                let mut sum = [0.0; LANES];
                for (weight, values) in weights.iter().zip(&lanes[first - window.start..]) {
                    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
                }
                let first = top * to.width + area.left + column;
                for (lane, value) in sum.iter().take(count).enumerate() {
                    output[first + lane * to.width] = *value;
                }
            }
        }
    }
}

/// A weighted sum of rows; if it is one whole row, that row itself.
fn sum_of_rows<'a>(
    input: &'a [f32],
    width: usize,
    window: std::ops::Range<usize>,
    first: usize,
    weights: &[f32],
    line: &'a mut [f32],
) -> &'a [f32] {
    let row = |row: usize| &input[row * width..][window.clone()];
    if weights == [1.0] {
        return row(first);
    }
    // Two rows at a time: half as often through memory.
    let (pairs, rest) = weights.as_chunks::<2>();
    let mut is_new = true;
    for ([weight, next], place) in pairs.iter().zip((first..).step_by(2)) {
        let rows = row(place).iter().zip(row(place + 1));
        if std::mem::take(&mut is_new) {
            line.iter_mut().zip(rows).for_each(|(sum, (a, b))| *sum = weight * a + next * b);
        } else {
            line.iter_mut().zip(rows).for_each(|(sum, (a, b))| *sum += weight * a + next * b);
        }
    }
    for weight in rest {
        let row = row(first + weights.len() - 1);
        if is_new {
            line.iter_mut().zip(row).for_each(|(sum, value)| *sum = weight * value);
        } else {
            line.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    line
}

/// The mean of each square of `side x side` pixels; what is left at the right and at the bottom is averaged too.
fn average_squares(source: &ImageBuffer, side: usize, target: &mut ImageBuffer) {
    let from = source.geometry();
    let (height, width) = (from.height.div_ceil(side), from.width.div_ceil(side));
    target.reshape(Geometry { height, width, ..from });
    let inputs = source.pixels().chunks_exact(from.num_pixels());
    for (input, output) in inputs.zip(target.pixels_mut().chunks_exact_mut(height * width)) {
        for (rows, output) in input.chunks(side * from.width).zip(output.chunks_exact_mut(width)) {
            output.fill(0.0);
            for row in rows.chunks_exact(from.width) {
                let sums = row.chunks(side).map(|square| square.iter().sum::<f32>());
                output.iter_mut().zip(sums).for_each(|(output, sum)| *output += sum);
            }
            let num_rows = rows.len() / from.width;
            for (column, output) in output.iter_mut().enumerate() {
                *output /= (num_rows * side.min(from.width - column * side)) as f32;
            }
        }
    }
}

fn bilinear(source: &ImageBuffer, target: &mut ImageBuffer, inverse: &Projection, area: Area, outside: Outside) {
    let [[xx, ..], [yx, ..], [gx, ..]] = inverse.rows.map(|row| row.map(|entry| entry as f32));
    let is_affine = inverse.rows[2] == [0.0, 0.0, 1.0];
    resample(source, target, area, outside, |row| {
        let start = inverse.homogeneous([area.left as f64 + 0.5, row as f64 + 0.5]).map(|entry| entry as f32);
        move |column| {
            let x = (column - area.left) as f32;
            let (u, v) = (start[0] + xx * x, start[1] + yx * x);
            // Behind the horizon there is nothing: as far outside as can be.
            let w = if is_affine { 1.0 } else { start[2] + gx * x };
            let scale = if w > 0.0 { 1.0 / w } else { f32::INFINITY };
            (u * scale - 0.5, v * scale - 0.5)
        }
    });
}

/// Fills each pixel of an area with what stood at another place, by bilinear interpolation. `place(row)(column)` is that
/// place, as x and y, where whole numbers are the middles of pixels.
pub(super) fn resample<F: Fn(usize) -> (f32, f32)>(
    source: &ImageBuffer,
    target: &mut ImageBuffer,
    area: Area,
    outside: Outside,
    place: impl Fn(usize) -> F,
) {
    let (from, to) = (source.geometry(), target.geometry());
    let mut corners = Corners::default();
    for row in area.top..area.bottom {
        let place = place(row);
        for start in (area.left..area.right).step_by(LANES) {
            let count = LANES.min(area.right - start);
            corners.find(|lane| place(start + lane), from.height, from.width);
            if outside == Outside::Keep && !corners.is_inside[..count].contains(&true) {
                continue;
            }
            let are_inside = outside == Outside::Edge || !corners.is_inside[..count].contains(&false);
            for channel in 0..from.channels {
                let input = &source.pixels()[channel * from.num_pixels()..(channel + 1) * from.num_pixels()];
                let first = channel * to.num_pixels() + row * to.width + start;
                let output = &mut target.pixels_mut()[first..first + count];
                for (lane, value) in output.iter_mut().enumerate() {
                    if !are_inside && !corners.is_inside[lane] {
                        if let Outside::Fill(fill) = outside {
                            *value = fill;
                        }
                        continue;
                    }
                    let [left, right] = [corners.left[lane] as usize, corners.right[lane] as usize];
                    let [top, bottom] = [corners.top[lane] as usize, corners.bottom[lane] as usize];
                    let (x, y) = (corners.x[lane], corners.y[lane]);
                    let upper = input[top + left] + x * (input[top + right] - input[top + left]);
                    let lower = input[bottom + left] + x * (input[bottom + right] - input[bottom + left]);
                    *value = upper + y * (lower - upper);
                }
            }
        }
    }
}

/// How many places are found at once, in vector registers.
const LANES: usize = 32;

/// The four pixels around each of some places, and how far the place is from the left and the top one.
#[derive(Default)]
struct Corners {
    left: [i32; LANES],
    right: [i32; LANES],
    /// Where the upper row begins.
    top: [i32; LANES],
    /// Where the lower row begins.
    bottom: [i32; LANES],
    x: [f32; LANES],
    y: [f32; LANES],
    is_inside: [bool; LANES],
}

impl Corners {
    #[inline(always)]
    fn find(&mut self, place: impl Fn(usize) -> (f32, f32), height: usize, width: usize) {
        let (last_x, last_y) = (width as i32 - 1, height as i32 - 1);
        let (end_x, end_y) = (width as f32 - 0.5, height as f32 - 0.5);
        for lane in 0..LANES {
            let (x, y) = place(lane);
            self.is_inside[lane] = (x >= -0.5) & (x < end_x) & (y >= -0.5) & (y < end_y);
            let (x, y) = (x.max(0.0).min(last_x as f32), y.max(0.0).min(last_y as f32));
            let (left, top) = (x as i32, y as i32);
            self.left[lane] = left;
            self.right[lane] = (left + 1).min(last_x);
            self.top[lane] = top * width as i32;
            self.bottom[lane] = (top + 1).min(last_y) * width as i32;
            self.x[lane] = x - left as f32;
            self.y[lane] = y - top as f32;
        }
    }
}
