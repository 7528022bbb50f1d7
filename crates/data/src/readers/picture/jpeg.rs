//! JPEG files.

use zune_core::bytestream::{ZByteReaderTrait, ZCursor};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg_end::is_complete;
use super::{Decoded, Format, Header, Orientation, Picture, Samples};

pub(super) const FORMAT: Format = Format {
    extensions: &["jpg", "jpeg", "jfif"],
    begins: |first| first.starts_with(&[0xFF, 0xD8]),
    header: |source| header(&mut JpegDecoder::new_with_options(source, options())),
    decode,
};

fn options() -> DecoderOptions {
    DecoderOptions::default().set_strict_mode(false).set_max_width(1 << 16).set_max_height(1 << 16)
}

fn header<T: ZByteReaderTrait>(decoder: &mut JpegDecoder<T>) -> Decoded<Header> {
    decoder.decode_headers()?;
    let (width, height) = decoder.dimensions().ok_or("it tells no size")?;
    let is_grey = matches!(decoder.input_colorspace(), Some(ColorSpace::Luma | ColorSpace::LumaA));
    let header = Header::new(width, height, if is_grey { 1 } else { 3 })?;
    Ok(header.turned(decoder.exif().and_then(|exif| Orientation::from_exif(exif))))
}

fn decode(bytes: &[u8]) -> Decoded<Picture> {
    if !is_complete(bytes) {
        return Err("the JPEG file is cut short".into());
    }
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
    let header = header(&mut decoder)?;
    let space = if header.channels == 1 { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options().jpeg_set_out_colorspace(space));
    Ok(Picture { header, samples: Samples::Bytes(decoder.decode()?) })
}
