//! Images that are made of several.

use crate::random::RandomStream;
use crate::transforms::operation::Change;
use crate::transforms::setting::Setting;

/// How other images are brought in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mix {
    /// Four images around a point of the frame, each at this scale: this one to the upper left, then upper right, lower
    /// left, lower right.
    Around {
        /// In pixels.
        center: [f64; 2],
        /// One factor an image.
        scales: [f64; 4],
    },
    /// Another image over this one, as opaque as this.
    Over(f32),
    /// Another image in place of a part of this one: left, top, right, bottom in pixels.
    Patch([f64; 4]),
}

/// Four images around a random point, with some probability: more objects an image, in smaller sizes and at its borders.
///
/// # Source
/// Bochkovskiy, Wang and Liao, YOLOv4 (2020), section 3.3. The point is drawn from the middle half of the frame, and each
/// image keeps the size that it has in the frame, times a factor from `scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mosaic {
    /// In `0..=1`.
    pub probability: f32,
    /// Factors, above 0.
    pub scale: [f32; 2],
}

/// Another image over this one, blended, with some probability: `w * this + (1 - w) * other`, where `w` is drawn from
/// `Beta(alpha, alpha)`. The image has the classes of both, weighted likewise, and the objects of both.
///
/// # Source
/// Zhang et al., mixup: Beyond Empirical Risk Minimization (2018).
#[derive(Clone, Debug, PartialEq)]
pub struct MixUp {
    /// In `0..=1`.
    pub probability: f32,
    /// Above 0; small values mostly leave one of the two.
    pub alpha: f32,
}

/// A rectangle of another image in place of a part of this one, with some probability. Its share of the area is `1 - w`
/// before it is cut at the frame's border, where `w` is drawn from `Beta(alpha, alpha)`. Classes are weighted by area;
/// objects that are hidden are left out.
///
/// # Source
/// Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features (2019).
#[derive(Clone, Debug, PartialEq)]
pub struct CutMix {
    /// In `0..=1`.
    pub probability: f32,
    /// Above 0; at 1, every share is as likely.
    pub alpha: f32,
}

impl Default for Mosaic {
    fn default() -> Self {
        Self { probability: 1.0, scale: [0.5, 1.0] }
    }
}

impl Default for MixUp {
    fn default() -> Self {
        Self { probability: 1.0, alpha: 0.2 }
    }
}

impl Default for CutMix {
    fn default() -> Self {
        Self { probability: 1.0, alpha: 1.0 }
    }
}

const ALPHA: [f32; 2] = [0.001, 1000.0];

impl Change for Mosaic {
    fn name(&self) -> &'static str {
        "mosaic"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting::probability(&mut self.probability),
            Setting::range("scale", &mut self.scale, [0.01, 100.0], "factors"),
        ]
    }

    fn mix(&self, frame: [f64; 2], random: &mut RandomStream) -> Option<Mix> {
        if !random.happens(self.probability) {
            return None;
        }
        let center = frame.map(|length| f64::from(random.between([0.25, 0.75])) * length);
        Some(Mix::Around { center, scales: [(); 4].map(|()| f64::from(random.between(self.scale))) })
    }
}

impl Change for MixUp {
    fn name(&self) -> &'static str {
        "mixup"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![Setting::probability(&mut self.probability), Setting::number("alpha", &mut self.alpha, ALPHA, "")]
    }

    fn mix(&self, _: [f64; 2], random: &mut RandomStream) -> Option<Mix> {
        random.happens(self.probability).then(|| Mix::Over(1.0 - random.beta(self.alpha)))
    }
}

impl Change for CutMix {
    fn name(&self) -> &'static str {
        "cutmix"
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![Setting::probability(&mut self.probability), Setting::number("alpha", &mut self.alpha, ALPHA, "")]
    }

    fn mix(&self, frame: [f64; 2], random: &mut RandomStream) -> Option<Mix> {
        if !random.happens(self.probability) {
            return None;
        }
        let side = f64::from(1.0 - random.beta(self.alpha)).sqrt();
        let [(left, right), (top, bottom)] = frame.map(|length| {
            let middle = f64::from(random.uniform()) * length;
            let half = side * length / 2.0;
            ((middle - half).max(0.0).round(), (middle + half).min(length).round())
        });
        Some(Mix::Patch([left, top, right, bottom]))
    }
}
