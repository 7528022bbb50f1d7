//! Mirroring.

use crate::random::RandomStream;
use crate::transforms::Projection;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// Mirrors the image, left to right, with some probability. Not for digits, text or left and right hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Flip {
    /// In `0..=1`.
    pub probability: f32,
}

/// Mirrors the image, top to bottom, with some probability. For images that have no up and down, from microscopes or from
/// the air.
#[derive(Clone, Debug, PartialEq)]
pub struct VerticalFlip {
    /// In `0..=1`.
    pub probability: f32,
}

impl Default for Flip {
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

impl Default for VerticalFlip {
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

impl Change for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![Setting::probability(&mut self.probability)]
    }

    fn project(&self, [width, _]: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        let mirrored = Projection::scaling(-1.0, 1.0).then(&Projection::shifting(width, 0.0));
        random.happens(self.probability).then_some(mirrored)
    }
}

impl Change for VerticalFlip {
    fn name(&self) -> &'static str {
        "vertical_flip"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![Setting::probability(&mut self.probability)]
    }

    fn project(&self, [_, height]: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        let mirrored = Projection::scaling(1.0, -1.0).then(&Projection::shifting(0.0, height));
        random.happens(self.probability).then_some(mirrored)
    }
}
