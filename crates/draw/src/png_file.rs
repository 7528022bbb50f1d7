//! PNG files in memory.

use png::{BitDepth, ColorType, Encoder};

use crate::{Color, Picture};

impl Picture {
    /// The bytes of a PNG file.
    ///
    /// # Panics
    /// If the picture has no pixels, which no PNG can say.
    pub fn png(&self) -> Vec<u8> {
        encode(self.width(), self.height(), ColorType::Rgb, BitDepth::Eight, None, self.bytes())
    }
}

/// A PNG file whose pixels are indices into a palette, row after row: what masks of classes are.
///
/// # Panics
/// If there are no pixels, not `width * height` of them, more than 256 colours, or an index without one.
#[track_caller]
pub fn palette_png(width: usize, height: usize, indices: &[u8], palette: &[Color]) -> Vec<u8> {
    assert!(palette.len() <= 256, "palette_png: {} colours: there must be at most 256", palette.len());
    let greatest = indices.iter().copied().max().unwrap_or(0) as usize;
    assert!(greatest < palette.len(), "palette_png: index {greatest} of {} colours: it must have one", palette.len());
    let palette = palette.iter().flat_map(|color| color.0).collect();
    encode(width, height, ColorType::Indexed, BitDepth::Eight, Some(palette), indices)
}

/// A PNG file in grey of 16 bits, row after row: what masks of many objects are.
///
/// # Panics
/// If there are no pixels, or not `width * height` of them.
#[track_caller]
pub fn grey_png(width: usize, height: usize, values: &[u16]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    encode(width, height, ColorType::Grayscale, BitDepth::Sixteen, None, &bytes)
}

#[track_caller]
fn encode(
    width: usize,
    height: usize,
    color: ColorType,
    depth: BitDepth,
    palette: Option<Vec<u8>>,
    bytes: &[u8],
) -> Vec<u8> {
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(bytes));
    if let Err(error) = written {
        panic!("png: {width}x{height}, {} bytes: {error}", bytes.len());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(file: &[u8]) -> (png::OutputInfo, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        bytes.truncate(info.buffer_size());
        (info, bytes)
    }

    #[test]
    fn files_come_back() {
        let picture = Picture::from_bytes(2, 1, vec![1, 2, 3, 250, 251, 252]);
        assert_eq!(decoded(&picture.png()).1, picture.bytes());
        let (info, bytes) = decoded(&palette_png(3, 1, &[0, 2, 1], &[Color::BLACK, Color::WHITE, Color::GREY]));
        assert_eq!((info.color_type, bytes), (ColorType::Indexed, vec![0, 2, 1]));
        let (info, bytes) = decoded(&grey_png(2, 1, &[1, 0x1234]));
        assert_eq!((info.bit_depth, bytes), (BitDepth::Sixteen, vec![0, 1, 0x12, 0x34]));
    }
}
