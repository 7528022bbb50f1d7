//! GIF files: of an animation, the first frame.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Decoder, MemoryLimit};

use super::{Decoded, Format, Header, Picture, Samples, Source};

pub(super) const FORMAT: Format = Format {
    extensions: &["gif"],
    begins: |first| first.starts_with(b"GIF8"),
    header: |source| header(&open(source)?),
    decode,
};

const CHANNELS: usize = 4;

type Open<'a> = Decoder<&'a mut dyn Source>;

fn open(source: &mut dyn Source) -> Decoded<Open<'_>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // The size is checked where the header is read, that of a frame by the decoder.
    options.check_frame_consistency(true);
    options.set_memory_limit(MemoryLimit::Unlimited);
    Ok(options.read_info(source)?)
}

fn header(decoder: &Open) -> Decoded<Header> {
    Header::new(decoder.width().into(), decoder.height().into(), CHANNELS)
}

fn decode(bytes: &[u8]) -> Decoded<Picture> {
    let mut source = Cursor::new(bytes);
    let mut decoder = open(&mut source)?;
    let header = header(&decoder)?;
    let frame = decoder.read_next_frame()?.ok_or("it has no frame")?;
    // What the frame leaves of the screen is transparent.
    let mut samples = vec![0; header.num_samples()];
    let screen = samples.chunks_exact_mut(header.width * CHANNELS).skip(frame.top.into());
    let rows = frame.buffer.chunks_exact((usize::from(frame.width) * CHANNELS).max(1));
    for (screen, row) in screen.zip(rows) {
        screen[usize::from(frame.left) * CHANNELS..][..row.len()].copy_from_slice(row);
    }
    Ok(Picture { header, samples: Samples::Bytes(samples) })
}
