//! As if seen from the side.

use crate::random::RandomStream;
use crate::transforms::Projection;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// Moves each corner of the frame inwards, with some probability: by up to half of the frame's width and height, times
/// `distortion`, each drawn evenly for itself.
///
/// # Source
/// `RandomPerspective` of torchvision.
#[derive(Clone, Debug, PartialEq)]
pub struct Perspective {
    /// In `0..=1`.
    pub probability: f32,
    /// In `0..=1`.
    pub distortion: f32,
}

impl Default for Perspective {
    fn default() -> Self {
        Self { probability: 0.5, distortion: 0.5 }
    }
}

impl Change for Perspective {
    fn name(&self) -> &'static str {
        "perspective"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::probability(&mut self.probability),
            Setting::number("distortion", &mut self.distortion, [0.0, 0.95], "a fraction"),
        ]
    }

    fn project(&self, [width, height]: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        if !random.happens(self.probability) {
            return None;
        }
        let mut inwards = |length: f64| f64::from(random.uniform() * self.distortion) * length / 2.0;
        let mut corner = |is_right: bool, is_lower: bool| {
            let (x, y) = (inwards(width), inwards(height));
            [if is_right { width - x } else { x }, if is_lower { height - y } else { y }]
        };
        let corners = [corner(false, false), corner(true, false), corner(true, true), corner(false, true)];
        Projection::of_corners(width, height, corners)
    }
}
