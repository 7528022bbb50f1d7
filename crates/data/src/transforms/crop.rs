//! A part of the image in place of the whole.

use crate::random::RandomStream;
use crate::transforms::Projection;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// Stretches a random rectangle of the frame over all of it. The image is resampled once, from its own pixels, so that a
/// small rectangle of a large image stays sharp.
///
/// # Source
/// Szegedy et al., Going Deeper with Convolutions (2015), section 6, as `RandomResizedCrop` of torchvision: ten attempts
/// at a rectangle that fits, then the whole of the middle.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// From and to which share of the frame's area, in `0..=1`.
    pub area: [f32; 2],
    /// From and to which ratio of width to height of the rectangle; 1 is the frame's own.
    pub aspect: [f32; 2],
}

impl Default for Crop {
    fn default() -> Self {
        Self { area: [0.08, 1.0], aspect: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

/// Shifts the image by whole pixels, each direction drawn for itself: what is elsewhere called a random crop after
/// padding. Pixels are copied, not resampled, where the image has the size of the frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The furthest, in pixels of the frame.
    pub pixels: f32,
}

impl Default for Shift {
    fn default() -> Self {
        Self { pixels: 4.0 }
    }
}

impl Change for Crop {
    fn name(&self) -> &'static str {
        "crop"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::range("area", &mut self.area, [0.001, 1.0], "fractions"),
            Setting::range("aspect", &mut self.aspect, [0.1, 10.0], "ratios"),
        ]
    }

    fn project(&self, [width, height]: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        const ATTEMPTS: usize = 10;
        for _ in 0..ATTEMPTS {
            let area = f64::from(random.between(self.area));
            let aspect = f64::from(random.between(self.aspect.map(f32::ln)).exp());
            let [x, y] = [(area * aspect).sqrt(), (area / aspect).sqrt()];
            if x <= 1.0 && y <= 1.0 {
                let left = f64::from(random.uniform()) * (1.0 - x) * width;
                let top = f64::from(random.uniform()) * (1.0 - y) * height;
                return Some(Projection::shifting(-left, -top).then(&Projection::scaling(1.0 / x, 1.0 / y)));
            }
        }
        None
    }
}

impl Change for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![Setting::number("pixels", &mut self.pixels, [0.0, 10_000.0], "pixels")]
    }

    fn project(&self, _: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        let most = self.pixels.round() as usize;
        let mut draw = || random.below(2 * most + 1) as f64 - most as f64;
        Some(Projection::shifting(draw(), draw()))
    }
}
