//! Rotation, shift, scale and shear at once.

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::transforms::Scratch;

/// A random affine map about the image's centre, done in one pass of bilinear interpolation. Each number is drawn
/// evenly from its range. What comes into view from outside continues the image's edge.
///
/// A point at `p` from the centre moves to `R(rotate) * Shear(shear) * scale * p + translate`.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// Degrees, clockwise as one sees it.
    pub rotate: [f32; 2],
    /// Shift to the right and down, each drawn for itself, as a fraction of width and height.
    pub translate: [f32; 2],
    /// Factor; above 0.
    pub scale: [f32; 2],
    /// Degrees between -60 and 60 by which vertical lines lean to the left.
    pub shear: [f32; 2],
}

impl Default for Affine {
    /// Changes nothing.
    fn default() -> Self {
        Self { rotate: [0.0; 2], translate: [0.0; 2], scale: [1.0; 2], shear: [0.0; 2] }
    }
}

impl Affine {
    pub(super) fn apply(&self, image: &mut ImageBuffer, scratch: &mut Scratch, random: &mut RandomStream) {
        let geometry = image.geometry();
        let (sin, cos) = random.between(self.rotate).to_radians().sin_cos();
        let shift_x = random.between(self.translate) * geometry.width as f32;
        let shift_y = random.between(self.translate) * geometry.height as f32;
        let scale = random.between(self.scale);
        let lean = random.between(self.shear).to_radians().tan();
        // The inverse: a place in the new image to one in the old.
        let [xx, xy] = [(cos + lean * sin) / scale, (sin - lean * cos) / scale];
        let [yx, yy] = [-sin / scale, cos / scale];
        let (center_x, center_y) = ((geometry.width as f32 - 1.0) / 2.0, (geometry.height as f32 - 1.0) / 2.0);
        resample(image, scratch, |row| {
            let y = row as f32 - center_y - shift_y;
            let (start_x, start_y) = (center_x + xy * y, center_y + yy * y);
            move |column| {
                let x = column as f32 - center_x - shift_x;
                (start_x + xx * x, start_y + yx * x)
            }
        });
    }
}

/// Fills each pixel with what stood at another place, by bilinear interpolation. `source(row)(column)` is that place,
/// as x and y in pixels; places outside the image are those nearest to them on its edge.
pub(super) fn resample<F: Fn(usize) -> (f32, f32)>(
    image: &mut ImageBuffer,
    scratch: &mut Scratch,
    source: impl Fn(usize) -> F,
) {
    let geometry = image.geometry();
    let (height, width, num_pixels) = (geometry.height, geometry.width, geometry.num_pixels());
    if geometry.num_elements() == 0 {
        return;
    }
    let target = &mut scratch.image;
    target.reshape(geometry);
    let mut corners = Corners::default();
    for row in 0..height {
        let place = source(row);
        for start in (0..width).step_by(LANES) {
            let count = LANES.min(width - start);
            corners.find(|lane| place(start + lane), height, width);
            for channel in 0..geometry.channels {
                let input = &image.pixels()[channel * num_pixels..(channel + 1) * num_pixels];
                let first = channel * num_pixels + row * width + start;
                let output = &mut target.pixels_mut()[first..first + count];
                for (lane, value) in output.iter_mut().enumerate() {
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
    std::mem::swap(image, target);
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
}

impl Corners {
    #[inline(always)]
    fn find(&mut self, place: impl Fn(usize) -> (f32, f32), height: usize, width: usize) {
        let (last_x, last_y) = (width as i32 - 1, height as i32 - 1);
        for lane in 0..LANES {
            let (x, y) = place(lane);
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
