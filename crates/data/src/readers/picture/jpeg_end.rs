//! Whether a JPEG file is all there.

/// Whether a JPEG stream has the marker at its end (EOI). Decoders paint what is missing grey and say nothing.
///
/// # Source
/// ITU-T T.81, annex B: a file is a chain of segments; after a scan's header, coded data run to the next marker that
/// is neither a stuffed zero nor a restart.
pub(crate) fn is_complete(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: u8 = 0xD9;
    let mut position = 2;
    loop {
        while bytes.get(position) == Some(&0xFF) && bytes.get(position + 1) == Some(&0xFF) {
            position += 1;
        }
        let (Some(0xFF), Some(&marker)) = (bytes.get(position), bytes.get(position + 1)) else { return false };
        position += 2;
        match marker {
            END_OF_IMAGE => return true,
            0x01 | 0xD0..=0xD8 => continue,
            _ => {}
        }
        let Some(length) = bytes.get(position..position + 2) else { return false };
        position += u16::from_be_bytes([length[0], length[1]]) as usize;
        if marker == START_OF_SCAN {
            let rest = bytes.get(position..).unwrap_or_default();
            let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF);
            let Some(coded) = rest.windows(2).position(is_marker) else { return false };
            position += coded;
        }
    }
}
