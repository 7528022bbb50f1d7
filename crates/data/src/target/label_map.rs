//! A number for each pixel.

use gyrus_geometry::RunLengthMask;

use crate::target::{Object, Shape};
use crate::transforms::{Area, Projection};

/// The label of a pixel that is neither learnt nor measured.
pub const IGNORED: u16 = u16::MAX;

/// A number for each pixel of an image, row by row: a class (or [`IGNORED`]), or the number of an object from 1 on (0
/// is none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelMap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The numbers.
    pub labels: Vec<u16>,
}

impl LabelMap {
    /// Gives the map another size and one label everywhere; memory is kept.
    pub fn reset(&mut self, height: usize, width: usize, label: u16) {
        (self.height, self.width) = (height, width);
        self.labels.clear();
        self.labels.resize(height * width, label);
    }

    /// The objects that the numbers tell apart, by rising number, each with its pixels, all of one class.
    pub fn objects(&self, class: usize) -> Vec<Object> {
        let labels: Vec<u32> =
            self.labels.iter().map(|&label| if label == IGNORED { 0 } else { label.into() }).collect();
        let masks = RunLengthMask::of_labels(self.width, self.height, &labels).expect("a label for each pixel");
        let object = |mask: RunLengthMask| Object {
            shape: Shape::Runs(mask.clone()),
            ..Object::of_box(class, mask.bounding_box())
        };
        masks.into_values().map(object).collect()
    }

    /// Draws another map into an area of this one: a pixel here, whose middle is at `p`, shows the one there that
    /// contains `inverse(p)`, as `number` translates it. Pixels that show nothing of it, or that `number` leaves out,
    /// stay as they are.
    pub fn warp(&mut self, source: &LabelMap, inverse: &Projection, area: Area, number: impl Fn(u16) -> Option<u16>) {
        let width = self.width;
        let [limit_x, limit_y] = [source.width as f64, source.height as f64];
        for row in area.top..area.bottom {
            let start = inverse.homogeneous([area.left as f64 + 0.5, row as f64 + 0.5]);
            let [x, y, w] = inverse.rows.map(|row| row[0]);
            let output = &mut self.labels[row * width + area.left..row * width + area.right];
            for (column, output) in output.iter_mut().enumerate() {
                let column = column as f64;
                let scale = start[2] + w * column;
                let (u, v) = ((start[0] + x * column) / scale, (start[1] + y * column) / scale);
                let is_inside = scale > 0.0 && u >= 0.0 && v >= 0.0 && u < limit_x && v < limit_y;
                if is_inside && let Some(label) = number(source.labels[v as usize * source.width + u as usize]) {
                    *output = label;
                }
            }
        }
    }
}
