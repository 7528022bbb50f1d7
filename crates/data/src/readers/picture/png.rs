//! PNG files.

use std::io::Cursor;

use png::{BitDepth, Decoder, Reader, Transformations};

use super::{Decoded, Format, Header, Orientation, Picture, Samples, Source, bit_fields, pairs};

pub(super) const FORMAT: Format = Format {
    extensions: &["png"],
    begins: |first| first.starts_with(b"\x89PNG"),
    header: |source| header(&open(source, Transformations::EXPAND)?),
    decode: |bytes| read(bytes, Transformations::EXPAND),
};

/// The numbers of the pixels, not the colours that a palette has for them.
pub(super) fn indices(bytes: &[u8]) -> Decoded<Picture> {
    read(bytes, Transformations::IDENTITY)
}

type Open<'a> = Reader<&'a mut dyn Source>;

fn open(source: &mut dyn Source, transformations: Transformations) -> Decoded<Open<'_>> {
    let mut decoder = Decoder::new(source);
    decoder.set_transformations(transformations);
    Ok(decoder.read_info()?)
}

fn header(reader: &Open) -> Decoded<Header> {
    let (info, (color, _)) = (reader.info(), reader.output_color_type());
    let exif = info.exif_metadata.as_deref();
    let header = Header::new(info.width as usize, info.height as usize, color.samples())?;
    Ok(header.turned(exif.and_then(Orientation::from_exif)))
}

fn read(bytes: &[u8], transformations: Transformations) -> Decoded<Picture> {
    let mut source = Cursor::new(bytes);
    let mut reader = open(&mut source, transformations)?;
    let header = header(&reader)?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or("it is too large")?];
    reader.next_frame(&mut samples)?;
    let samples = match reader.output_color_type().1 {
        BitDepth::Eight => Samples::Bytes(samples),
        BitDepth::Sixteen => Samples::Whole(pairs(&samples), 65535.0),
        bits => {
            let bits = bits as usize;
            let numbers = bit_fields(&samples, bits, header.width * header.channels);
            Samples::Whole(numbers, f64::from((1 << bits) - 1))
        }
    };
    Ok(Picture { header, samples })
}
