use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{SafeTensorError, SafeTensors};
use serde_json::{Map, Value};

use crate::{CheckpointError, Mismatch, StoredDType, write_atomically};

/// A named tensor as the file holds it: row-major, little-endian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredTensor<'a> {
    /// The name, `encoder.layers.3.weight`.
    pub name: &'a str,
    /// The element type.
    pub dtype: StoredDType,
    /// The shape; empty for a scalar.
    pub shape: &'a [usize],
    /// The elements' bytes.
    pub data: &'a [u8],
}

/// A tensor that a file should have.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Its name.
    pub name: String,
    /// Its element type.
    pub dtype: StoredDType,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Bytes before the header: its length.
const LENGTH_BYTES: usize = 8;

/// Writes tensors and a map of texts as a safetensors file, crash-safe ([`write_atomically`]).
///
/// The same tensors and metadata give the same bytes, in whatever order they come.
///
/// # Errors
/// [`CheckpointError::Write`].
///
/// # Panics
/// As [`write_safetensors`].
#[track_caller]
pub fn save_safetensors(
    path: impl AsRef<Path>,
    tensors: &[StoredTensor<'_>],
    metadata: &BTreeMap<String, String>,
) -> Result<(), CheckpointError> {
    // Checked before a file is begun, so that a mistake of the caller leaves nothing behind.
    let prepared = prepare(tensors, metadata);
    write_atomically(path, |file| prepared.write(file))
}

/// Writes tensors and a map of texts in the safetensors format, for a file within a
/// [`FolderWriter`](crate::FolderWriter).
///
/// # Errors
/// Those of the writer.
///
/// # Panics
/// If two tensors have the same name or a tensor's bytes do not match its shape and element type.
#[track_caller]
pub fn write_safetensors(
    file: &mut dyn Write,
    tensors: &[StoredTensor<'_>],
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    prepare(tensors, metadata).write(file)
}

struct Prepared<'a> {
    header: Vec<u8>,
    data: Vec<&'a [u8]>,
}

impl Prepared<'_> {
    fn write(&self, file: &mut dyn Write) -> io::Result<()> {
        file.write_all(&(self.header.len() as u64).to_le_bytes())?;
        file.write_all(&self.header)?;
        self.data.iter().try_for_each(|data| file.write_all(data))
    }
}

/// The crate's own writer keeps metadata in a hash map, so its bytes differ from run to run; it also wants all
/// tensors copied into one buffer. The header is a small JSON object, written here in the crate's order: types of
/// the strictest alignment first, then by name.
#[track_caller]
fn prepare<'a>(tensors: &[StoredTensor<'a>], metadata: &BTreeMap<String, String>) -> Prepared<'a> {
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by(|a, b| b.dtype.cmp(&a.dtype).then(a.name.cmp(b.name)));
    let mut names = HashSet::new();
    let mut header = Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".to_owned(), metadata.iter().map(|(k, v)| (k.clone(), v.as_str())).collect());
    }
    let mut end = 0;
    for tensor in &sorted {
        let StoredTensor { name, dtype, shape, data } = tensor;
        let bits = shape.iter().product::<usize>() * dtype.bitsize();
        assert!(
            bits == 8 * data.len(),
            "save_safetensors: tensor `{name}`, {}, has {} bytes: it must have {}",
            describe(*dtype, shape),
            data.len(),
            bits / 8,
        );
        assert!(names.insert(name), "save_safetensors: two tensors are named `{name}`: names must be unique");
        let info = TensorInfo { dtype: *dtype, shape: shape.to_vec(), data_offsets: (end, end + data.len()) };
        header.insert((*name).to_owned(), serde_json::to_value(info).unwrap_or(Value::Null));
        end += data.len();
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(LENGTH_BYTES), b' ');
    Prepared { header, data: sorted.iter().map(|tensor| tensor.data).collect() }
}

/// A safetensors file in memory, its header checked against its bytes.
///
/// The file is read, not mapped: a mapped file that someone truncates kills the process that reads it.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("model.safetensors");
/// use gyrus_checkpoint::{SafetensorsFile, StoredDType, StoredTensor, save_safetensors};
///
/// let bias = StoredTensor { name: "bias", dtype: StoredDType::F32, shape: &[1], data: &1f32.to_le_bytes() };
/// save_safetensors(&path, &[bias], &Default::default())?;
/// assert_eq!(SafetensorsFile::open(&path)?.tensor("bias"), Some(bias));
/// # Ok::<(), gyrus_checkpoint::CheckpointError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SafetensorsFile {
    path: PathBuf,
    bytes: Vec<u8>,
    data_start: usize,
    tensors: BTreeMap<String, TensorInfo>,
    metadata: BTreeMap<String, String>,
}

impl SafetensorsFile {
    /// Reads a file and checks its header.
    ///
    /// # Errors
    /// [`CheckpointError::Read`], [`CheckpointError::Header`] if it is another format or damaged,
    /// [`CheckpointError::Length`] if it is cut short or too long.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        Self::from_bytes(path, fs::read(path).map_err(CheckpointError::read(path))?)
    }

    /// Checks bytes already read, as by [`AtomicFolder::read`](crate::AtomicFolder::read); `path` is for messages.
    ///
    /// # Errors
    /// As [`open`](Self::open), without those of reading.
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let path = path.into();
        let (header_length, header) =
            SafeTensors::read_metadata(&bytes).map_err(|error| explain(&path, &bytes, &error))?;
        let tensors = header.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(Self { path, data_start: LENGTH_BYTES + header_length, bytes, tensors, metadata })
    }

    /// The path it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The texts stored beside the tensors.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The tensor of a name.
    pub fn tensor(&self, name: &str) -> Option<StoredTensor<'_>> {
        self.tensors.get_key_value(name).map(|(name, info)| self.view(name, info))
    }

    /// All tensors, by name.
    pub fn tensors(&self) -> impl Iterator<Item = StoredTensor<'_>> {
        self.tensors.iter().map(|(name, info)| self.view(name, info))
    }

    /// Checks that the file has exactly the tensors expected.
    ///
    /// # Errors
    /// [`CheckpointError::Tensors`] with every name that is missing, not expected or of another shape or type.
    pub fn check(&self, expected: &[Expected]) -> Result<(), CheckpointError> {
        let mismatch = self.difference(expected);
        if mismatch.is_empty() {
            return Ok(());
        }
        Err(CheckpointError::Tensors { path: self.path.clone(), mismatch })
    }

    /// How the file's tensors differ from those expected.
    pub fn difference(&self, expected: &[Expected]) -> Mismatch {
        let mut mismatch = Mismatch::default();
        for Expected { name, dtype, shape } in expected {
            match self.tensors.get(name) {
                None => mismatch.missing.push(name.clone()),
                Some(info) if (info.dtype, &info.shape) != (*dtype, shape) => {
                    let found = describe(info.dtype, &info.shape);
                    mismatch.misshapen.push((name.clone(), found, describe(*dtype, shape)));
                }
                Some(_) => {}
            }
        }
        let known: HashSet<_> = expected.iter().map(|expected| &expected.name).collect();
        mismatch.unexpected = self.tensors.keys().filter(|name| !known.contains(name)).cloned().collect();
        mismatch
    }

    fn view<'a>(&'a self, name: &'a str, info: &'a TensorInfo) -> StoredTensor<'a> {
        let (start, end) = info.data_offsets;
        let data = &self.bytes[self.data_start + start..self.data_start + end];
        StoredTensor { name, dtype: info.dtype, shape: &info.shape, data }
    }
}

/// `f32 [64, 3, 5, 5]`.
fn describe(dtype: StoredDType, shape: &[usize]) -> String {
    let mut text = format!("{dtype:?}").to_lowercase();
    let _ = write!(text, " {shape:?}");
    text
}

fn explain(path: &Path, bytes: &[u8], error: &SafeTensorError) -> CheckpointError {
    let length =
        |expected: u64| CheckpointError::Length { path: path.to_owned(), expected, actual: bytes.len() as u64 };
    let declared = bytes.first_chunk::<LENGTH_BYTES>().map(|bytes| u64::from_le_bytes(*bytes));
    let header_end = declared.and_then(|length| length.checked_add(LENGTH_BYTES as u64));
    let looks_right = bytes.get(LENGTH_BYTES) == Some(&b'{');
    match (error, header_end) {
        (SafeTensorError::InvalidHeaderLength, Some(end)) if looks_right => length(end),
        (SafeTensorError::MetadataIncompleteBuffer, Some(end)) => {
            let header = bytes.get(LENGTH_BYTES..end as usize).unwrap_or_default();
            match serde_json::from_slice::<Metadata>(header) {
                Ok(metadata) => length(end + metadata.data_len() as u64),
                Err(_) => CheckpointError::Header { path: path.to_owned(), reason: error.to_string() },
            }
        }
        _ => CheckpointError::Header { path: path.to_owned(), reason: error.to_string() },
    }
}

#[cfg(test)]
#[path = "safetensors_file_tests.rs"]
mod tests;
