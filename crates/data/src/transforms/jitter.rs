//! Random changes of light and colour.

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::target::LabelMap;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;
use crate::transforms::{Scratch, tone};

/// Changes brightness, contrast, saturation and hue, in this order, with some probability. The first three are factors
/// from `1 - value` to `1 + value`, hue is a turn from `-value` to `value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Jitter {
    /// In `0..=1`.
    pub probability: f32,
    /// In `0..=1`.
    pub brightness: f32,
    /// In `0..=1`.
    pub contrast: f32,
    /// In `0..=1`.
    pub saturation: f32,
    /// In `0..=0.5`.
    pub hue: f32,
}

/// Takes the colour away, with some probability; there are as many channels as before.
#[derive(Clone, Debug, PartialEq)]
pub struct Grey {
    /// In `0..=1`.
    pub probability: f32,
}

impl Default for Jitter {
    fn default() -> Self {
        Self { probability: 1.0, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }
    }
}

impl Default for Grey {
    fn default() -> Self {
        Self { probability: 0.1 }
    }
}

impl Change for Jitter {
    fn name(&self) -> &'static str {
        "jitter"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::probability(&mut self.probability),
            Setting::number("brightness", &mut self.brightness, [0.0, 1.0], ""),
            Setting::number("contrast", &mut self.contrast, [0.0, 1.0], ""),
            Setting::number("saturation", &mut self.saturation, [0.0, 1.0], ""),
            Setting::number("hue", &mut self.hue, [0.0, 0.5], ""),
        ]
    }

    fn paint(&self, image: &mut ImageBuffer, _: &mut LabelMap, _: &mut Scratch, random: &mut RandomStream) {
        if !random.happens(self.probability) {
            return;
        }
        let mut change = |change: fn(&mut ImageBuffer, f32), center: f32, size: f32| {
            let amount = random.between([center - size, center + size]);
            if size > 0.0 {
                change(image, amount);
            }
        };
        change(tone::brightness, 1.0, self.brightness);
        change(tone::contrast, 1.0, self.contrast);
        change(tone::saturation, 1.0, self.saturation);
        change(tone::hue, 0.0, self.hue);
    }
}

impl Change for Grey {
    fn name(&self) -> &'static str {
        "grey"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![Setting::probability(&mut self.probability)]
    }

    fn paint(&self, image: &mut ImageBuffer, _: &mut LabelMap, _: &mut Scratch, random: &mut RandomStream) {
        if random.happens(self.probability) {
            tone::saturation(image, 0.0);
        }
    }
}
