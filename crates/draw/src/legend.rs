//! What colours mean, below a picture.

use crate::text::{shortened, text_width};
use crate::{Color, Picture, viridis};

impl Picture {
    /// The picture with names of colours below it, in as many lines as they need.
    pub fn with_legend(&self, entries: &[(Color, String)]) -> Picture {
        let style = self.style();
        let (padding, line) = (style.padding(), style.text.ceil() as usize);
        let swatch = line * 2 / 3;
        let room = self.width().saturating_sub(3 * padding + swatch) as f32;
        let mut rows: Vec<Vec<(usize, Color, String)>> = vec![];
        let mut x = self.width();
        for (color, name) in entries {
            let name = shortened(name, style.text, room);
            let width = swatch + 3 * padding + text_width(&name, style.text).ceil() as usize;
            if x + width > self.width() {
                rows.push(vec![]);
                x = padding;
            }
            rows.last_mut().expect("a row").push((x, *color, name));
            x += width + 2 * padding;
        }
        if rows.is_empty() {
            return self.clone();
        }
        let height = rows.len() * (line + padding) + padding;
        let mut all = Picture::new(self.width(), self.height() + height, Color::WHITE);
        all.paste(self, 0, 0);
        for (number, row) in rows.into_iter().enumerate() {
            let top = self.height() + padding + number * (line + padding);
            for (x, color, name) in row {
                let inset = (line - swatch) / 2;
                all.fill([x, top + inset, x + swatch, top + inset + swatch], color);
                all.draw_text(&name, (x + swatch + padding) as f32, top as f32, style.text, Color::BLACK);
            }
        }
        all
    }

    /// The picture with the colours of a heat map below it, and the numbers they stand for.
    pub fn with_scale(&self, (low, high): (f32, f32)) -> Picture {
        let style = self.style();
        let (padding, line) = (style.padding(), style.text.ceil() as usize);
        let mut all = Picture::new(self.width(), self.height() + line + 2 * padding, Color::WHITE);
        all.paste(self, 0, 0);
        let top = self.height() + padding;
        let [first, last] = [low, high].map(number);
        let width = |text: &str| text_width(text, style.text).ceil() as usize;
        let left = 2 * padding + width(&first);
        let right = self.width().saturating_sub(2 * padding + width(&last));
        for x in left..right {
            let share = (x - left) as f32 / (right - left).saturating_sub(1).max(1) as f32;
            all.fill([x, top + line / 4, x + 1, top + line - line / 4], viridis(share));
        }
        all.draw_text(&first, padding as f32, top as f32, style.text, Color::BLACK);
        let end = self.width().saturating_sub(padding + width(&last));
        all.draw_text(&last, end as f32, top as f32, style.text, Color::BLACK);
        all
    }
}

/// A number in three digits.
fn number(value: f32) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-2..1e4).contains(&size) => format!("{value:.1e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size < 0.1 => format!("{value:.3}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_is_below_and_breaks_its_lines() {
        let picture = Picture::new(160, 40, Color::GREY);
        let entry = |name: &str| (Color([200, 0, 0]), name.to_owned());
        let one = picture.with_legend(&[entry("cat")]);
        let many = picture.with_legend(&["red blood cell", "white blood cell", "platelet"].map(entry));
        assert_eq!((one.width(), many.width()), (160, 160));
        assert!(many.height() - 40 > 2 * (one.height() - 40) - 4, "{} {}", many.height(), one.height());
        assert_eq!(picture.with_legend(&[]), picture);
        assert_eq!(one.pixel(159, 39), Color::GREY);
    }

    #[test]
    fn a_scale_runs_from_dark_to_light() {
        let scale = Picture::new(200, 20, Color::GREY).with_scale((0.0, 0.5));
        let middle = 20 + (scale.height() - 20) / 2;
        let colored: Vec<Color> = (0..200).map(|x| scale.pixel(x, middle)).collect();
        assert!(colored.contains(&viridis(0.0)) && colored.contains(&viridis(1.0)));
        assert_eq!(
            [0.0, 0.123, 0.0123, 42.0, 4711.0, 2e-5, -0.5].map(number),
            ["0", "0.12", "0.012", "42.0", "4711", "2.0e-5", "-0.50"]
        );
        // A picture narrower than its numbers is no reason to fail.
        assert_eq!(Picture::new(9, 9, Color::GREY).with_scale((0.0, 0.5)).width(), 9);
    }
}
