//! A few changes out of many, all of one strength.

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::target::LabelMap;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;
use crate::transforms::{Projection, Scratch, tone};

/// Picks `number` of fourteen changes, with repetition, and does each at a strength of `magnitude` out of 30: nothing,
/// shear, shift and rotation in either direction; brightness, saturation, contrast and sharpness up or down; fewer
/// levels; light and dark exchanged; contrast stretched; levels equalised. Movements come first, as one.
///
/// # Source
/// Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search Space (2020), with the ranges
/// of torchvision's `RandAugment` (31 magnitudes).
#[derive(Clone, Debug, PartialEq)]
pub struct RandAugment {
    /// How many changes, in `0..=10`.
    pub number: f32,
    /// How strong, in `0..=30`.
    pub magnitude: f32,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self { number: 2.0, magnitude: 9.0 }
    }
}

/// What there is to pick from.
#[derive(Clone, Copy)]
enum Pick {
    Nothing,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Saturation,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

const PICKS: [Pick; 14] = [
    Pick::Nothing,
    Pick::ShearX,
    Pick::ShearY,
    Pick::TranslateX,
    Pick::TranslateY,
    Pick::Rotate,
    Pick::Brightness,
    Pick::Saturation,
    Pick::Contrast,
    Pick::Sharpness,
    Pick::Posterize,
    Pick::Solarize,
    Pick::AutoContrast,
    Pick::Equalize,
];

impl RandAugment {
    /// What is picked, each with its strength in `-1..=1`.
    fn picks<'a>(&self, random: &'a mut RandomStream) -> impl Iterator<Item = (Pick, f32)> + 'a {
        let strength = self.magnitude / 30.0;
        (0..self.number.round() as usize).map(move |_| {
            let pick = PICKS[random.below(PICKS.len())];
            (pick, if random.happens(0.5) { strength } else { -strength })
        })
    }
}

impl Change for RandAugment {
    fn name(&self) -> &'static str {
        "rand_augment"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::number("number", &mut self.number, [0.0, 10.0], ""),
            Setting::number("magnitude", &mut self.magnitude, [0.0, 30.0], ""),
        ]
    }

    fn project(&self, [width, height]: [f64; 2], random: &mut RandomStream) -> Option<Projection> {
        let center = [width / 2.0, height / 2.0];
        let movements = self.picks(random).filter_map(|(pick, strength)| {
            let strength = f64::from(strength);
            Some(match pick {
                Pick::ShearX => Projection::about(center, [[1.0, 0.3 * strength], [0.0, 1.0]]),
                Pick::ShearY => Projection::about(center, [[1.0, 0.0], [0.3 * strength, 1.0]]),
                Pick::TranslateX => Projection::shifting(150.0 / 331.0 * width * strength, 0.0),
                Pick::TranslateY => Projection::shifting(0.0, 150.0 / 331.0 * height * strength),
                Pick::Rotate => {
                    let (sin, cos) = (30.0 * strength).to_radians().sin_cos();
                    Projection::about(center, [[cos, -sin], [sin, cos]])
                }
                _ => return None,
            })
        });
        movements.reduce(|first, next| first.then(&next))
    }

    fn paint(&self, image: &mut ImageBuffer, _: &mut LabelMap, scratch: &mut Scratch, random: &mut RandomStream) {
        for (pick, strength) in self.picks(random) {
            let factor = 1.0 + 0.9 * strength;
            match pick {
                Pick::Brightness => tone::brightness(image, factor),
                Pick::Saturation => tone::saturation(image, factor),
                Pick::Contrast => tone::contrast(image, factor),
                Pick::Sharpness => tone::sharpness(image, factor, scratch),
                Pick::Posterize => tone::posterize(image, 8 - (4.0 * strength.abs()).round() as u32),
                Pick::Solarize => tone::solarize(image, 1.0 - strength.abs()),
                Pick::AutoContrast => tone::auto_contrast(image),
                Pick::Equalize => tone::equalize(image),
                _ => {}
            }
        }
    }
}
