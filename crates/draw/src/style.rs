//! How thick and how large.

/// Widths of lines and sizes of letters that suit a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// The width of lines, in pixels.
    pub line: usize,
    /// The height of a line of text, in pixels.
    pub text: f32,
}

impl Style {
    /// What suits a picture of this size, shown as a whole: text is about a sixtieth of its longer side, and never too
    /// small to read.
    pub fn of(width: usize, height: usize) -> Self {
        let side = width.max(height) as f32;
        Self { line: ((side / 360.0).round() as usize).max(1), text: (5.0 + side / 72.0).max(11.0) }
    }

    /// The space around text.
    pub fn padding(&self) -> usize {
        (self.text / 4.0).round() as usize
    }
}
