//! The numbers of a table: bytes as long as they are bytes.

use crate::{Geometry, Pixels};

/// Gathers pixels, cell by cell, and puts them into CHW order.
pub(crate) struct PixelColumn {
    geometry: Geometry,
    pixels: Pixels,
    interleaved: Vec<f32>,
}

impl PixelColumn {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self { geometry, pixels: Pixels::Bytes(Vec::new()), interleaved: Vec::with_capacity(geometry.num_elements()) }
    }

    /// Takes a cell, or says what is wrong with it.
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), String> {
        let value = small_number(cell).map_or_else(|| number(cell), Ok)?;
        self.interleaved.push(value);
        Ok(())
    }

    /// All the cells of an image have been taken.
    pub(crate) fn end_image(&mut self) {
        let is_byte = |&value: &f32| (0.0..=255.0).contains(&value) && value.fract() == 0.0;
        if !self.interleaved.iter().all(is_byte) {
            make_floats(&mut self.pixels);
        }
        let channels = self.geometry.channels;
        let interleaved = &self.interleaved;
        let values = (0..channels).flat_map(|channel| interleaved.iter().skip(channel).step_by(channels));
        match &mut self.pixels {
            Pixels::Bytes(bytes) => bytes.extend(values.map(|&value| value as u8)),
            Pixels::Floats(floats) => floats.extend(values),
        }
        self.interleaved.clear();
    }

    pub(crate) fn finish(self) -> Pixels {
        self.pixels
    }
}

/// Whole numbers that were taken for bytes become plain numbers.
pub(crate) fn make_floats(pixels: &mut Pixels) {
    if let Pixels::Bytes(bytes) = pixels {
        *pixels = Pixels::Floats(bytes.iter().map(|&byte| byte as f32).collect());
    }
}

/// Up to three digits, which is what nearly all cells are.
fn small_number(cell: &[u8]) -> Option<f32> {
    if cell.is_empty() || cell.len() > 3 {
        return None;
    }
    let digits =
        cell.iter().try_fold(0_u32, |sum, &byte| byte.is_ascii_digit().then(|| sum * 10 + (byte - b'0') as u32));
    digits.map(|number| number as f32)
}

fn number(cell: &[u8]) -> Result<f32, String> {
    let text = String::from_utf8_lossy(cell);
    match text.trim() {
        "" => Err("the cell is empty".into()),
        text => text.parse().map_err(|_| format!("\"{text}\" is not a number")),
    }
}
