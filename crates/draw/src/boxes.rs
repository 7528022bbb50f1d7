//! Boxes and their labels.

use gyrus_geometry::{Region, Xyxy};

use crate::text::{shortened, text_width};
use crate::{Color, Picture};

/// Labels cover no more than this share of a picture: with thousands of objects they would hide it.
const MOST_LABELS: f64 = 0.25;

/// A box with what is to be said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxLabel {
    /// Where it is, in pixels.
    pub bounds: Xyxy,
    /// The colour of its outline, and behind its text.
    pub color: Color,
    /// What is said; nothing for an outline alone.
    pub text: String,
    /// Whether the outline is dashed.
    pub is_dashed: bool,
}

impl Picture {
    /// The outline of a box, inside of it.
    pub fn draw_box(&mut self, bounds: &Xyxy, color: Color, line: usize, is_dashed: bool) {
        let start = |edge: f64, length: usize| (edge.max(0.0).floor() as usize).min(length);
        let end = |edge: f64, length: usize| (edge.max(0.0).ceil() as usize).min(length);
        let (left, right) = (start(bounds.left, self.width()), end(bounds.right, self.width()));
        let (top, bottom) = (start(bounds.top, self.height()), end(bounds.bottom, self.height()));
        if left >= right || top >= bottom {
            return;
        }
        for y in top..bottom {
            let is_edge = y < top + line || y + line >= bottom;
            let sides = [left..(left + line).min(right), right.saturating_sub(line).max(left)..right];
            let spans = if is_edge { [left..right, 0..0] } else { sides };
            let is_gap = |x: usize| is_dashed && (if is_edge { x } else { y }) / (4 * line) % 2 == 1;
            for x in spans.into_iter().flatten().filter(|&x| !is_gap(x)) {
                self.blend(x, y, color, 1.0);
            }
        }
    }

    /// Boxes with labels, the most important first: it is drawn over the others. A label stands above its box, or where
    /// else it is inside the picture and hides least of the labels before it: below, within at the top, within at the bottom. Labels stop where more of
    /// them would hide the picture.
    pub fn draw_boxes(&mut self, boxes: &[BoxLabel]) {
        let line = self.style().line;
        for label in boxes.iter().rev() {
            self.draw_box(&label.bounds, label.color, line, label.is_dashed);
        }
        let mut placed: Vec<Xyxy> = vec![];
        let mut rest = MOST_LABELS * (self.width() * self.height()) as f64;
        // A few labels are shown on the smallest picture.
        for (number, label) in boxes.iter().enumerate().filter(|(_, label)| !label.text.is_empty()) {
            let Some((place, text)) = self.place_label(label, &placed) else { continue };
            rest -= place.width() * place.height();
            if rest < 0.0 && number > 2 {
                break;
            }
            self.draw_label(&text, &place, label.color);
            placed.push(place);
        }
    }

    /// Where a label goes, and what of its text fits; nothing if there is no room for a letter.
    fn place_label(&self, label: &BoxLabel, placed: &[Xyxy]) -> Option<(Xyxy, String)> {
        let style = self.style();
        let (padding, line) = (style.padding() as f64, style.line as f64);
        let (across, down) = (self.width() as f64, self.height() as f64);
        let text = shortened(&label.text, style.text, (across - 2.0 * padding) as f32);
        if text.is_empty() || style.text as f64 > down {
            return None;
        }
        let width = (f64::from(text_width(&text, style.text)) + 2.0 * padding).ceil().min(across);
        let height = f64::from(style.text).ceil();
        let Xyxy { left, top, bottom, .. } = label.bounds;
        let left = left.round().clamp(0.0, across - width);
        let at = |top: f64| Xyxy::new(left, top, left + width, top + height);
        let candidates =
            [top.floor() - height, bottom.ceil(), top + line, bottom - line - height].map(f64::round).map(at);
        let is_inside = |place: &&Xyxy| place.top >= 0.0 && place.bottom <= down;
        let hidden = |place: &Xyxy| placed.iter().map(|other| place.intersection(other)).sum::<f64>();
        let inside = candidates.iter().filter(is_inside);
        // Of equally good ones the first.
        let place = inside.min_by(|a, b| hidden(a).total_cmp(&hidden(b))).copied();
        Some((place.unwrap_or_else(|| at(top.round().clamp(0.0, down - height))), text))
    }

    fn draw_label(&mut self, text: &str, place: &Xyxy, color: Color) {
        let style = self.style();
        let [left, top, right, bottom] = [place.left, place.top, place.right, place.bottom].map(|edge| edge as usize);
        self.fill([left, top, right, bottom], color);
        self.draw_text(text, (left + style.padding()) as f32, top as f32, style.text, color.ink());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color = Color([255, 0, 0]);

    fn label(left: f64, top: f64, right: f64, bottom: f64, text: &str) -> BoxLabel {
        BoxLabel { bounds: Xyxy::new(left, top, right, bottom), color: RED, text: text.into(), is_dashed: false }
    }

    fn count(picture: &Picture, color: Color) -> usize {
        picture.bytes().chunks_exact(3).filter(|pixel| *pixel == color.0).count()
    }

    #[test]
    fn an_outline_lies_inside_its_box() {
        let mut picture = Picture::new(40, 30, Color::WHITE);
        picture.draw_box(&Xyxy::new(4.0, 5.0, 24.0, 17.0), RED, 2, false);
        assert_eq!(count(&picture, RED), 20 * 12 - 16 * 8);
        assert_eq!([picture.pixel(4, 5), picture.pixel(23, 16)], [RED; 2]);
        assert_eq!([picture.pixel(3, 5), picture.pixel(24, 16), picture.pixel(6, 7)], [Color::WHITE; 3]);
        let full = count(&picture, RED);
        let mut dashed = Picture::new(40, 30, Color::WHITE);
        dashed.draw_box(&Xyxy::new(4.0, 5.0, 24.0, 17.0), RED, 2, true);
        assert!((full / 3..full).contains(&count(&dashed, RED)));
    }

    #[test]
    fn boxes_that_are_none_draw_nothing() {
        let mut picture = Picture::new(40, 30, Color::WHITE);
        for bounds in [
            Xyxy::new(50.0, 5.0, 60.0, 9.0),
            Xyxy::new(-9.0, 5.0, -3.0, 9.0),
            Xyxy::new(9.0, 9.0, 3.0, 3.0),
            Xyxy::new(f64::NAN, 1.0, 5.0, 5.0),
        ] {
            picture.draw_box(&bounds, RED, 1, false);
        }
        assert!(count(&picture, RED) < 30, "only a box with an edge that is no number may show");
    }

    #[test]
    fn labels_are_inside_and_apart() {
        let picture = Picture::new(200, 100, Color::WHITE);
        let place = |label: &BoxLabel, placed: &[Xyxy]| picture.place_label(label, placed).unwrap().0;
        let height = f64::from(picture.style().text).ceil();
        // Above; below where there is no room above; within where there is neither.
        assert_eq!(place(&label(20.0, 50.0, 60.0, 80.0, "cat"), &[]).bottom, 50.0);
        assert_eq!(place(&label(20.0, 2.0, 60.0, 60.0, "cat"), &[]).top, 60.0);
        assert_eq!(place(&label(20.0, 2.0, 60.0, 99.0, "cat"), &[]).top, 3.0);
        // At the right border it moves to the left, and a long text is cut.
        assert_eq!(place(&label(190.0, 50.0, 199.0, 80.0, "caterpillar"), &[]).right, 200.0);
        let (whole, text) = picture.place_label(&label(0.0, 50.0, 9.0, 80.0, &"cat ".repeat(40)), &[]).unwrap();
        assert!(whole.right <= 200.0 && text.ends_with('…'));
        // The second of two on one place goes elsewhere.
        let first = place(&label(20.0, 50.0, 60.0, 80.0, "cat"), &[]);
        let second = place(&label(20.0, 50.0, 60.0, 80.0, "dog"), &[first]);
        assert_eq!((first.top, second.top), (50.0 - height, 80.0));
    }

    #[test]
    fn labels_do_not_hide_the_picture() {
        let mut picture = Picture::new(300, 300, Color::WHITE);
        let boxes: Vec<BoxLabel> = (0..400)
            .map(|place| (f64::from(place % 20) * 15.0, f64::from(place / 20) * 15.0))
            .map(|(x, y)| label(x, y, x + 4.0, y + 4.0, "nucleus 0.99"))
            .collect();
        picture.draw_boxes(&boxes);
        let share = count(&picture, Color::WHITE) as f64 / 90_000.0;
        assert!(share > 0.6, "{share}");
    }
}
