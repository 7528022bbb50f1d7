use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::RecordError;

/// Scalars for TensorBoard: `events.out.tfevents.*`, a file of TFRecords that each hold one `Event` message.
///
/// # Source
/// TensorFlow's `record_writer.h` (framing) and `event.proto`, `summary.proto` (messages); the few fields that
/// a scalar needs are encoded here.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventFile {
    /// Begins a file in a run's folder. A resumed run begins a new one, which tells TensorBoard to forget what
    /// earlier files hold from `step` on.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn create(folder: &Path, step: u64) -> Result<Self, RecordError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("events.out.tfevents.{}.{}.gyrus", now.as_secs(), std::process::id());
        let path = folder.join(name);
        let file = File::create(&path).map_err(RecordError::write(&path))?;
        let mut events = EventFile { path, file: BufWriter::new(file) };
        events.event(0, |event| bytes_field(event, 3, b"brain.Event:2"))?;
        if step > 0 {
            // SessionLog { status: START }, which purges later steps.
            events.event(step + 1, |event| bytes_field(event, 7, &[1 << 3, 1]))?;
        }
        events.flush()?;
        Ok(events)
    }

    /// Appends one number.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<(), RecordError> {
        let mut number = vec![];
        bytes_field(&mut number, 1, tag.as_bytes());
        number.push(2 << 3 | 5);
        number.extend((value as f32).to_le_bytes());
        let mut summary = vec![];
        bytes_field(&mut summary, 1, &number);
        self.event(step, |event| bytes_field(event, 5, &summary))
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(RecordError::write(&self.path))
    }

    fn event(&mut self, step: u64, content: impl FnOnce(&mut Vec<u8>)) -> Result<(), RecordError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut event = vec![1 << 3 | 1];
        event.extend(now.to_le_bytes());
        event.push(2 << 3);
        varint(&mut event, step);
        content(&mut event);
        self.file.write_all(&framed(&event)).map_err(RecordError::write(&self.path))
    }
}

/// Length, its checksum, data, their checksum.
fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(crc32c(&length)).to_le_bytes());
    record.extend(data);
    record.extend(masked(crc32c(data)).to_le_bytes());
    record
}

fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// The cyclic redundancy check of polynomial 0x1EDC6F41, as in RFC 3720, section B.4.
fn crc32c(data: &[u8]) -> u32 {
    const REFLECTED: u32 = 0x82F6_3B78;
    let shift = |rest: u32| if rest & 1 == 1 { rest >> 1 ^ REFLECTED } else { rest >> 1 };
    !data.iter().fold(!0u32, |rest, &byte| (0..8).fold(rest ^ byte as u32, |rest, _| shift(rest)))
}

fn varint(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn bytes_field(into: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    into.push(field << 3 | 2);
    varint(into, bytes.len() as u64);
    into.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
    }

    #[test]
    fn a_file_is_a_sequence_of_whole_records() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(folder.path(), 300).unwrap();
        events.scalar("train/loss", 301, 0.5).unwrap();
        events.flush().unwrap();
        let bytes = std::fs::read(&events.path).unwrap();
        let (mut rest, mut records) = (&bytes[..], vec![]);
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            let data = &rest[12..12 + length];
            assert_eq!(framed(data), rest[..16 + length]);
            records.push(data);
            rest = &rest[16 + length..];
        }
        assert_eq!(records.len(), 3);
        // After the wall time: step 301 as a varint, then the summary with tag and number.
        let expected = [&[0x10, 0xAD, 0x02, 0x2A, 0x13, 0x0A, 0x11, 0x0A, 0x0A][..], b"train/loss", &[0x15, 0, 0, 0, 0x3F]];
        assert_eq!(records[2][9..], expected.concat());
    }
}
