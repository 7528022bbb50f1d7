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
    /// Begins a file in a run's folder, `events.out.tfevents.<seconds>.gyrus`. After a resumed run's step it tells
    /// TensorBoard to forget what earlier files hold of later steps.
    ///
    /// Other programs put the host's name where `gyrus` stands; it is left out, for runs get shared.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn create(folder: &Path, step: u64) -> Result<Self, RecordError> {
        let path = folder.join(format!("{PREFIX}{}.gyrus", next_seconds(folder)));
        let file = File::create_new(&path).map_err(RecordError::write(&path))?;
        let mut events = EventFile { path, file: BufWriter::new(file) };
        events.write(0, |event| bytes_field(event, 3, b"brain.Event:2"))?;
        if step > 0 {
            // A session log of status START: all from its step on is forgotten.
            events.write(step + 1, |event| bytes_field(event, 7, &[1 << 3, 1]))?;
        }
        events.flush()?;
        Ok(events)
    }

    /// Appends one number.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<(), RecordError> {
        self.write(step, |event| scalar_content(event, tag, value))
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(RecordError::write(&self.path))
    }

    fn write(&mut self, step: u64, content: impl FnOnce(&mut Vec<u8>)) -> Result<(), RecordError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        self.file.write_all(&framed(&event(now, step, content))).map_err(RecordError::write(&self.path))
    }
}

/// How names of event files begin.
const PREFIX: &str = "events.out.tfevents.";

/// The time for a file's name: TensorBoard reads a folder's files in the order of their names, so that it is later
/// than those of all others, also of one begun in the same second or before the clock was put back.
fn next_seconds(folder: &Path) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let seconds = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_prefix(PREFIX)?.split('.').next()?.parse::<u64>().ok()
    });
    seconds.max().map_or(now, |latest| now.max(latest + 1))
}

/// An `Event` message: wall time in seconds, step, content.
fn event(wall_time: f64, step: u64, content: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut event = vec![1 << 3 | 1];
    event.extend(wall_time.to_le_bytes());
    // Protocol buffers leave out what is zero.
    if step > 0 {
        event.push(2 << 3);
        varint(&mut event, step);
    }
    content(&mut event);
    event
}

/// A `Summary` of one value with tag and number.
fn scalar_content(event: &mut Vec<u8>, tag: &str, value: f64) {
    let mut number = vec![];
    bytes_field(&mut number, 1, tag.as_bytes());
    number.push(2 << 3 | 5);
    number.extend((value as f32).to_le_bytes());
    let mut summary = vec![];
    bytes_field(&mut summary, 1, &number);
    bytes_field(event, 5, &summary);
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

    /// The records of a file, each with both checksums compared.
    fn records(bytes: &[u8]) -> Vec<&[u8]> {
        let (mut rest, mut records) = (bytes, vec![]);
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            let data = &rest[12..12 + length];
            assert_eq!(framed(data), rest[..16 + length]);
            records.push(data);
            rest = &rest[16 + length..];
        }
        records
    }

    /// `scripts/goldens/events.py` writes the same events with TensorBoard's own writer.
    #[test]
    fn bytes_are_those_of_the_reference() {
        let long = "validation/".to_owned() + &"long ".repeat(40);
        let start = |event: &mut Vec<u8>| bytes_field(event, 7, &[1 << 3, 1]);
        let events = [
            event(1_700_000_000.25, 0, |event| bytes_field(event, 3, b"brain.Event:2")),
            event(1_700_000_000.5, 301, start),
            event(1_700_000_001.0, 301, |event| scalar_content(event, "train/loss", 0.1)),
            event(1_700_000_002.0, 60_000, |event| scalar_content(event, &long, f64::NAN)),
            event(1_700_000_003.0, 1 << 40, |event| scalar_content(event, "größe", -1e30)),
        ];
        let bytes: Vec<u8> = events.iter().flat_map(|event| framed(event)).collect();
        assert!(bytes == include_bytes!("golden/events.tfevents"), "{bytes:x?}");
    }

    #[test]
    fn a_file_is_a_sequence_of_whole_records() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(folder.path(), 300).unwrap();
        events.scalar("train/loss", 301, 0.5).unwrap();
        events.flush().unwrap();
        let bytes = std::fs::read(&events.path).unwrap();
        let records = records(&bytes);
        assert_eq!(records.len(), 3);
        // After the wall time: step 301 as a varint, then the session log or the summary.
        assert_eq!(records[1][9..], [0x10, 0xAD, 0x02, 0x3A, 2, 8, 1]);
        let expected =
            [&[0x10, 0xAD, 0x02, 0x2A, 0x13, 0x0A, 0x11, 0x0A, 0x0A][..], b"train/loss", &[0x15, 0, 0, 0, 0x3F]];
        assert_eq!(records[2][9..], expected.concat());
    }

    #[test]
    fn a_resumed_run_begins_a_file_that_is_read_later() {
        let folder = tempfile::tempdir().unwrap();
        // A clock that was put back since.
        std::fs::write(folder.path().join("events.out.tfevents.9000000000.gyrus"), "").unwrap();
        let paths = [0, 10, 20].map(|step| EventFile::create(folder.path(), step).unwrap().path);
        assert!(paths[0].ends_with("events.out.tfevents.9000000001.gyrus") && paths.is_sorted(), "{paths:?}");
        assert!(EventFile::create(&folder.path().join("none"), 0).unwrap_err().to_string().contains("none"));
    }
}
