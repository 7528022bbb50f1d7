//! Pictures of what the net sees.

use gyrus_geometry::Xyxy;

use crate::loader::IGNORED_PIXEL;
use crate::target::PlacedObject;
use crate::transforms::{Preprocess, tone};
use crate::{Batch, Geometry, ImageBuffer};

/// Pixels between images.
const GAP: usize = 4;

/// How much of the colour of a label covers the image.
const COVER: f32 = 0.45;

/// The images of a batch in a grid, as the net sees them: augmented, with the boxes of objects in the colours of their
/// classes, and labels of pixels laid over them: classes, or, where there are objects, one colour an object. Pixels that
/// are ignored are dark. The sheet is RGB, 0 to 1.
///
/// # Panics
/// If the preprocessing is not the one that made the batch.
pub fn contact_sheet(batch: &Batch, preprocess: &Preprocess, num_columns: usize) -> ImageBuffer {
    let [count, channels, height, width] = batch.shape;
    assert_eq!(preprocess.geometry(), Geometry::new(height, width, channels), "contact_sheet: another preprocessing");
    let columns = num_columns.clamp(1, count.max(1));
    let rows = count.div_ceil(columns);
    let mut sheet = Sheet::new(rows * (height + GAP) + GAP, columns * (width + GAP) + GAP);
    for place in 0..count {
        let (top, left) = (GAP + place / columns * (height + GAP), GAP + place % columns * (width + GAP));
        let size = channels * height * width;
        let image = &batch.images[place * size..(place + 1) * size];
        for (pixel, (row, column)) in (0..height * width).map(|pixel| (pixel, (pixel / width, pixel % width))) {
            let value = |channel: usize| {
                let channel = channel.min(channels - 1);
                let value = image[channel * height * width + pixel];
                (value * preprocess.std[channel] + preprocess.mean[channel]).clamp(0.0, 1.0)
            };
            let color = [value(0), value(1), value(2)];
            let label = batch.pixel_labels.get(place * height * width + pixel).copied();
            let color = match label {
                None => color,
                Some(IGNORED_PIXEL) => color.map(|value| 0.3 * value),
                Some(0) if !batch.object_ends.is_empty() => color,
                Some(label) => blend(color, color_of(label as usize), COVER),
            };
            sheet.put(top + row, left + column, color);
        }
        if !batch.object_ends.is_empty() {
            let thickness = (height.min(width) / 160).max(1);
            for PlacedObject { class, bounds, is_crowd, .. } in batch.objects_of(place) {
                sheet.draw_box(bounds, [left, top], [width, height], color_of(*class), thickness, *is_crowd);
            }
        }
    }
    sheet.image
}

/// The colour of the class, or the object, of this number: hues a golden section of the circle apart.
pub fn color_of(number: usize) -> [f32; 3] {
    const GOLDEN_SECTION: f64 = 0.618_033_988_749_894_9;
    let turn = (number as f64 * GOLDEN_SECTION).fract() as f32;
    let lightness = if (number / 8).is_multiple_of(2) { 1.0 } else { 0.75 };
    let mut pixel =
        ImageBuffer::from_pixels(Geometry::new(1, 1, 3), vec![lightness, 0.2 * lightness, 0.15 * lightness]);
    tone::hue(&mut pixel, turn);
    [pixel.pixels()[0], pixel.pixels()[1], pixel.pixels()[2]]
}

fn blend(below: [f32; 3], above: [f32; 3], cover: f32) -> [f32; 3] {
    std::array::from_fn(|channel| below[channel] + cover * (above[channel] - below[channel]))
}

struct Sheet {
    image: ImageBuffer,
}

impl Sheet {
    fn new(height: usize, width: usize) -> Self {
        let geometry = Geometry::new(height, width, 3);
        Self { image: ImageBuffer::from_pixels(geometry, vec![1.0; geometry.num_elements()]) }
    }

    fn put(&mut self, row: usize, column: usize, color: [f32; 3]) {
        let geometry = self.image.geometry();
        for (channel, value) in color.into_iter().enumerate() {
            self.image.pixels_mut()[channel * geometry.num_pixels() + row * geometry.width + column] = value;
        }
    }

    /// The border of a box, inside of it; that of a crowd is dashed.
    fn draw_box(
        &mut self,
        bounds: &Xyxy,
        [left, top]: [usize; 2],
        [width, height]: [usize; 2],
        color: [f32; 3],
        thickness: usize,
        is_dashed: bool,
    ) {
        let start = |edge: f64, length: usize| (edge.max(0.0).floor() as usize).min(length);
        let end = |edge: f64, length: usize| (edge.max(0.0).ceil() as usize).min(length);
        let (x0, x1) = (start(bounds.left, width), end(bounds.right, width));
        let (y0, y1) = (start(bounds.top, height), end(bounds.bottom, height));
        for row in y0..y1 {
            for column in x0..x1 {
                let depth = (row - y0).min(y1 - 1 - row).min(column - x0).min(x1 - 1 - column);
                let is_gap = is_dashed && (row + column) / (4 * thickness) % 2 == 1;
                if depth < thickness && !is_gap {
                    self.put(top + row, left + column, color);
                }
            }
        }
    }
}
