//! Colours, and which of them belongs to what.

/// A colour of a screen: red, green and blue (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// No light.
    pub const BLACK: Color = Color([0; 3]);
    /// All light.
    pub const WHITE: Color = Color([255; 3]);
    /// What is said beside the thing itself: captions, frames.
    pub const GREY: Color = Color([96; 3]);

    /// How bright it is to an eye, from 0 to 1.
    ///
    /// # Source
    /// Relative luminance as the Web Content Accessibility Guidelines 2.2 define it.
    pub fn luminance(self) -> f64 {
        let linear = |value: u8| match f64::from(value) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Black or white: the one that stands out more from this colour.
    ///
    /// ```
    /// use gyrus_draw::Color;
    /// assert_eq!(Color([250, 230, 60]).ink(), Color::BLACK);
    /// assert_eq!(Color([120, 20, 30]).ink(), Color::WHITE);
    /// ```
    pub fn ink(self) -> Color {
        // The contrasts (L + 0.05) / 0.05 and 1.05 / (L + 0.05) are equal here.
        if self.luminance() > 0.179 { Color::BLACK } else { Color::WHITE }
    }

    /// This colour over another, of which it covers a share from 0 to 1.
    pub fn over(self, below: Color, cover: f32) -> Color {
        let mix = |channel: usize| {
            let (above, below) = (f32::from(self.0[channel]), f32::from(below.0[channel]));
            (below + cover * (above - below)).round() as u8
        };
        Color([0, 1, 2].map(mix))
    }
}

/// The colour of the class, or the object, of this number: hues a golden section of the circle apart, so that any few
/// numbers that follow each other are easily told apart.
pub fn color_of(number: usize) -> Color {
    const GOLDEN_SECTION: f64 = 0.618_033_988_749_894_9;
    /// Red, a little towards yellow.
    const FIRST: f64 = 1.0 / 17.0;
    let brightness = if (number / 8).is_multiple_of(2) { 1.0 } else { 0.75 };
    let sector = ((number as f64 * GOLDEN_SECTION + FIRST / 6.0).fract()) * 6.0;
    // Each channel is a trapezoid over the circle of six sectors, two of them after the one before.
    let channel = |offset: f64| {
        let place = (sector + offset) % 6.0;
        let value = brightness * (1.0 - 0.85 * place.min(4.0 - place).clamp(0.0, 1.0));
        (255.0 * value).round() as u8
    };
    Color([channel(5.0), channel(3.0), channel(1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luminance_is_that_of_the_guidelines() {
        // Published contrasts with white, (1.05) / (L + 0.05): pure red 3.998, green 1.372, blue 8.592, #767676 4.542.
        let contrast = |color: [u8; 3]| 1.05 / (Color(color).luminance() + 0.05);
        let contrasts = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [118, 118, 118]].map(contrast);
        for (found, expected) in contrasts.into_iter().zip([3.998, 1.372, 8.592, 4.542]) {
            assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
    }

    #[test]
    fn neighbours_are_told_apart() {
        let distance = |a: Color, b: Color| {
            let squares = a.0.iter().zip(b.0).map(|(&a, b)| (f64::from(a) - f64::from(b)).powi(2));
            squares.sum::<f64>().sqrt()
        };
        for first in 0..40 {
            for second in first + 1..first + 5 {
                let apart = distance(color_of(first), color_of(second));
                assert!(apart > 60.0, "{first} {second}: {apart}");
            }
        }
    }
}
