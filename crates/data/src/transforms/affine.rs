//! Rotation, shift, scale and shear at once.

use crate::random::RandomStream;
use crate::transforms::Projection;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// A random affine map about the frame's centre. Each number is drawn evenly from its range.
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

impl Change for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::around_zero("rotate", &mut self.rotate, [-360.0, 360.0], "degrees").unless([0.0; 2]),
            Setting::around_zero("translate", &mut self.translate, [-1.0, 1.0], "a fraction").unless([0.0; 2]),
            Setting::range("scale", &mut self.scale, [0.01, 100.0], "factors").unless([1.0; 2]),
            Setting::around_zero("shear", &mut self.shear, [-60.0, 60.0], "degrees").unless([0.0; 2]),
        ]
    }

    fn project(&self, [width, height]: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        let (sin, cos) = f64::from(random.between(self.rotate)).to_radians().sin_cos();
        let shift_x = f64::from(random.between(self.translate)) * width;
        let shift_y = f64::from(random.between(self.translate)) * height;
        let scale = f64::from(random.between(self.scale));
        let lean = f64::from(random.between(self.shear)).to_radians().tan();
        let linear = [[cos * scale, (cos * lean - sin) * scale], [sin * scale, (sin * lean + cos) * scale]];
        let moved = Projection::about([width / 2.0, height / 2.0], linear);
        Some(moved.then(&Projection::shifting(shift_x, shift_y)))
    }
}
