//! Pictures side by side.

use crate::text::{shortened, text_width};
use crate::{Color, Picture, Style};

/// Pictures in rows of so many, each with its caption above it; captions take no room if all are empty. Columns are as
/// wide as the widest picture, a row as high as its highest.
///
/// ```
/// use gyrus_draw::{Color, Picture, grid};
/// let [truth, found] = ["truth", "prediction"].map(|caption| (Picture::new(64, 48, Color::GREY), caption.to_owned()));
/// assert!(grid(&[truth, found], 2).width() > 128);
/// ```
pub fn grid(cells: &[(Picture, String)], num_columns: usize) -> Picture {
    let columns = num_columns.clamp(1, cells.len().max(1));
    let highest = |row: &[(Picture, String)]| row.iter().map(|(picture, _)| picture.height()).max().unwrap_or(0);
    let width = cells.iter().map(|(picture, _)| picture.width()).max().unwrap_or(0);
    let style = Style::of(width, highest(cells));
    let gap = (style.padding() * 3 / 2).max(2);
    let has_captions = cells.iter().any(|(_, caption)| !caption.is_empty());
    let above = if has_captions { style.text.ceil() as usize + style.padding() } else { 0 };
    let rows = || cells.chunks(columns);
    let height: usize = rows().map(|row| above + highest(row) + gap).sum();
    let mut all = Picture::new(columns * (width + gap) + gap, height + gap, Color::WHITE);
    let mut top = gap;
    for row in rows() {
        for (place, (picture, caption)) in row.iter().enumerate() {
            let left = gap + place * (width + gap);
            let caption = shortened(caption, style.text, width as f32);
            let middle = (width as f32 - text_width(&caption, style.text)) / 2.0;
            all.draw_text(&caption, left as f32 + middle.max(0.0), top as f32, style.text, Color::BLACK);
            all.paste(picture, left + (width - picture.width()) / 2, top + above);
        }
        top += above + highest(row) + gap;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_where_they_belong() {
        let cell = |shade: u8, width: usize| (Picture::new(width, 10, Color([shade; 3])), String::new());
        let sheet = grid(&[cell(1, 10), cell(2, 6), cell(3, 10)], 2);
        // Gaps of 5 pixels: 3 / 2 of the padding that suits letters of 11 pixels.
        let gap = sheet.width() / 3 - 20 / 3;
        assert_eq!((sheet.width(), sheet.height()), (20 + 3 * gap, 20 + 3 * gap));
        assert_eq!(sheet.pixel(gap, gap), Color([1; 3]));
        assert_eq!(sheet.pixel(10 + 2 * gap, gap), Color::WHITE);
        assert_eq!(sheet.pixel(12 + 2 * gap, gap), Color([2; 3]));
        assert_eq!(sheet.pixel(gap + 9, 2 * gap + 19), Color([3; 3]));
        assert!(grid(&[], 3).width() > 0);
    }
}
