//! Letters.

use ab_glyph::{Font, FontRef, PxScale, PxScaleFont, ScaleFont, point};

use crate::{Color, Picture};

/// DejaVu Sans 2.37, reduced to Latin, Greek, Cyrillic and punctuation; see `font/README.md`. Other letters show as a
/// box.
const FONT: &[u8] = include_bytes!("../font/DejaVuSans.ttf");

fn font(size: f32) -> PxScaleFont<FontRef<'static>> {
    FontRef::try_from_slice(FONT).expect("the font that comes with the crate").into_scaled(PxScale::from(size))
}

/// The glyphs of a text with the place of each, from 0 on, and where the text ends.
fn glyphs(font: &PxScaleFont<FontRef<'static>>, text: &str) -> (Vec<(ab_glyph::GlyphId, f32)>, f32) {
    let mut placed: Vec<(ab_glyph::GlyphId, f32)> = vec![];
    let mut x = 0.0;
    for letter in text.chars() {
        // A name with a line break in it stays on its line.
        let id = font.glyph_id(if letter.is_control() { ' ' } else { letter });
        if let Some((previous, _)) = placed.last() {
            x += font.kern(*previous, id);
        }
        placed.push((id, x));
        x += font.h_advance(id);
    }
    (placed, x)
}

/// How wide a text is in pixels, in letters of which a line is `size` pixels high.
pub fn text_width(text: &str, size: f32) -> f32 {
    glyphs(&font(size), text).1
}

/// The text, or as much of its beginning as fits a width, with an ellipsis.
pub(crate) fn shortened(text: &str, size: f32, width: f32) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let begin = |count: usize| letters[..count].iter().collect::<String>().trim_end().to_owned() + "…";
    // Widths grow with the number of letters.
    let fits = |&count: &usize| text_width(&begin(count), size) <= width;
    let most = (0..letters.len()).collect::<Vec<_>>().partition_point(fits);
    if most == 0 { String::new() } else { begin(most - 1) }
}

impl Picture {
    /// Writes a line of text, smoothed. `size` is the height of the line; its upper left corner is at `left` and `top`.
    /// What is beyond the picture is cut off.
    pub fn draw_text(&mut self, text: &str, left: f32, top: f32, size: f32, color: Color) {
        let font = font(size);
        for (id, x) in glyphs(&font, text).0 {
            let glyph = id.with_scale_and_position(font.scale(), point(left + x, top + font.ascent()));
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|column, row, cover| {
                let (x, y) = (corner.x + column as f32, corner.y + row as f32);
                if x >= 0.0 && y >= 0.0 && (x as usize) < self.width() && (y as usize) < self.height() {
                    self.blend(x as usize, y as usize, color, cover.min(1.0));
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_widths_of_the_font() {
        // Advances in DejaVu Sans 2.37's hmtx table, of 2048 units an em; a line is 2384 units high.
        let expected = [("i", 569.0), ("m", 1995.0), ("Ж", 2206.0), ("0.93", 3.0 * 1303.0 + 651.0)];
        for (text, units) in expected {
            let found = text_width(text, 2384.0);
            assert!((found - units).abs() < 1.0, "{text}: {found} {units}");
        }
    }

    #[test]
    fn a_text_that_does_not_fit_is_shortened() {
        assert_eq!(shortened("cat", 12.0, 100.0), "cat");
        let short = shortened("a very long name of a class", 12.0, 60.0);
        assert!(short.starts_with("a ver") && short.ends_with('…') && text_width(&short, 12.0) <= 60.0, "{short}");
        assert_eq!(shortened("cat", 12.0, 1.0), "");
    }

    #[test]
    fn text_is_smooth_and_stays_in_the_picture() {
        let mut picture = Picture::new(40, 16, Color::WHITE);
        picture.draw_text("Grün\n", 2.0, 1.0, 14.0, Color::BLACK);
        picture.draw_text("beyond", -9.0, 12.0, 14.0, Color::BLACK);
        picture.draw_text("beyond", 35.0, -5.0, 14.0, Color::BLACK);
        let levels: std::collections::BTreeSet<u8> = picture.bytes().iter().copied().collect();
        assert!(levels.contains(&255) && levels.len() > 20, "{levels:?}");
        assert!(levels.first() < Some(&40));
    }
}
