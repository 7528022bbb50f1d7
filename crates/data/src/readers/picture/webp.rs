//! WebP files: of an animation, the first frame.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{Decoded, Format, Header, Orientation, Picture, Samples, Source};

pub(super) const FORMAT: Format = Format {
    extensions: &["webp"],
    begins: |first| first.starts_with(b"RIFF") && first.ends_with(b"WEBP"),
    header: |source| header(&mut WebPDecoder::new(source)?),
    decode,
};

fn header(decoder: &mut WebPDecoder<&mut dyn Source>) -> Decoded<Header> {
    let (width, height) = decoder.dimensions();
    let header = Header::new(width as usize, height as usize, if decoder.has_alpha() { 4 } else { 3 })?;
    Ok(header.turned(decoder.exif_metadata()?.as_deref().and_then(Orientation::from_exif)))
}

fn decode(bytes: &[u8]) -> Decoded<Picture> {
    let mut source = Cursor::new(bytes);
    let mut decoder = WebPDecoder::new(&mut source as &mut dyn Source)?;
    let header = header(&mut decoder)?;
    let mut samples = vec![0; header.num_samples()];
    decoder.read_image(&mut samples)?;
    Ok(Picture { header, samples: Samples::Bytes(samples) })
}
