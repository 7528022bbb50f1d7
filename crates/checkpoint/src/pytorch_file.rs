//! PyTorch's own files of weights.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::rc::Rc;

use crate::pickle::{self, Object, Refused, TensorView};
use crate::stored_archive;
use crate::{CheckpointError, SafetensorsFile, StoredDType, StoredTensor, write_safetensors};

/// The pickled number with which files begin that are no archive: those of PyTorch before 1.6.
const MAGIC: [u8; 15] = *b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
/// The version of that format.
const VERSION: i64 = 1001;

/// Opens a file of weights: a safetensors file, or a state dict that PyTorch saved (`.pth`, `.pt`), which is read as the
/// safetensors file that it could have been. Nothing that a PyTorch file wants to call is called.
///
/// # Errors
/// As [`SafetensorsFile::open`]; [`CheckpointError::Pytorch`] if a PyTorch file is damaged, or holds anything but a table
/// of tensors.
pub fn open_weights(path: impl AsRef<Path>) -> Result<SafetensorsFile, CheckpointError> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(CheckpointError::read(path))?;
    let contents = match bytes.strip_prefix(&MAGIC) {
        Some(rest) => Contents::of_stream(rest),
        None if bytes.starts_with(b"PK\x03\x04") => Contents::of_archive(&bytes),
        None => return SafetensorsFile::from_bytes(path, bytes),
    };
    let converted = contents.and_then(|contents| contents.to_safetensors());
    let converted = converted.map_err(|reason| CheckpointError::Pytorch { path: path.to_owned(), reason })?;
    SafetensorsFile::from_bytes(path, converted)
}

/// What a file holds, however it is packed.
struct Contents {
    object: Object,
    /// The bytes of storages by their keys.
    storages: HashMap<Rc<str>, Vec<u8>>,
}

impl Contents {
    /// An archive with `NAME/data.pkl` and `NAME/data/KEY`.
    fn of_archive(bytes: &[u8]) -> Result<Contents, Refused> {
        let files = stored_archive::files(bytes)?;
        let pickle = files.iter().find_map(|(name, bytes)| Some((name.strip_suffix("data.pkl")?, *bytes)));
        let (folder, mut pickle) = pickle.ok_or("the archive has no data.pkl")?;
        if files.get(&format!("{folder}byteorder")).is_some_and(|order| *order != b"little") {
            return Err("its numbers are not little-endian".into());
        }
        let object = pickle::read(&mut pickle)?;
        let mut storages = HashMap::new();
        for (_, TensorView { storage, .. }) in tensors(&object)? {
            let name = format!("{folder}data/{}", storage.key);
            let bytes = files.get(&name).ok_or_else(|| format!("{name} is missing"))?;
            storages.entry(storage.key).or_insert_with(|| bytes.to_vec());
        }
        Ok(Contents { object, storages })
    }

    /// Pickles one after another, of the version, the machine, the object and the storages' keys, then the storages,
    /// each behind its number of elements.
    fn of_stream(mut bytes: &[u8]) -> Result<Contents, Refused> {
        let version = pickle::read(&mut bytes)?;
        if !matches!(version, Object::Int(VERSION)) {
            return Err(format!("the format's version is {version:?}, not {VERSION}"));
        }
        pickle::read(&mut bytes)?;
        let object = pickle::read(&mut bytes)?;
        let Object::List(keys) = pickle::read(&mut bytes)? else {
            return Err("the list of storages is missing".into());
        };
        let dtypes: HashMap<Rc<str>, StoredDType> =
            tensors(&object)?.into_iter().map(|(_, view)| (view.storage.key, view.storage.dtype)).collect();
        let mut storages = HashMap::new();
        for key in keys.borrow().iter() {
            let Object::Text(key) = key else { return Err("a storage's key is no text".into()) };
            let dtype = dtypes.get(key).ok_or("a storage belongs to no tensor")?;
            let (count, rest) = bytes.split_first_chunk().ok_or("the file is cut short")?;
            let length = u64::from_le_bytes(*count) as u128 * dtype.bitsize() as u128 / 8;
            let (storage, rest) = usize::try_from(length)
                .ok()
                .and_then(|length| rest.split_at_checked(length))
                .ok_or("the file is cut short")?;
            storages.insert(key.clone(), storage.to_vec());
            bytes = rest;
        }
        Ok(Contents { object, storages })
    }

    fn to_safetensors(&self) -> Result<Vec<u8>, Refused> {
        let views: BTreeMap<Rc<str>, TensorView> = tensors(&self.object)?.into_iter().collect();
        let mut elements = vec![];
        for (name, view) in &views {
            let storage =
                self.storages.get(&view.storage.key).ok_or_else(|| format!("{name}: its storage is missing"))?;
            let expected = view.storage.num_elements as u128 * view.storage.dtype.bitsize() as u128 / 8;
            if storage.len() as u128 != expected {
                return Err(format!("{name}: its storage has {} bytes, not {expected}", storage.len()));
            }
            elements.push(gather(view, storage).ok_or_else(|| format!("{name}: it reaches beyond its storage"))?);
        }
        let stored: Vec<StoredTensor> = views
            .iter()
            .zip(&elements)
            .map(|((name, view), data)| StoredTensor { name, dtype: view.storage.dtype, shape: &view.shape, data })
            .collect();
        let mut bytes = vec![];
        write_safetensors(&mut bytes, &stored, &BTreeMap::new()).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// The named tensors of a table, or of the first table in it that has some, as training programs write it under
/// `state_dict` or `model`.
fn tensors(object: &Object) -> Result<Vec<(Rc<str>, TensorView)>, Refused> {
    let Object::Dict(dict) = object else { return Err("it holds no table of tensors".into()) };
    let dict = dict.borrow();
    let named = |entries: &[(Object, Object)]| -> Vec<(Rc<str>, TensorView)> {
        let tensor = |(key, value): &(Object, Object)| match (key, value) {
            (Object::Text(name), Object::Tensor(view)) => Some((name.clone(), (**view).clone())),
            _ => None,
        };
        entries.iter().filter_map(tensor).collect()
    };
    let inner = dict.iter().filter_map(|(_, value)| match value {
        Object::Dict(inner) => inner.try_borrow().ok().map(|inner| named(&inner)),
        _ => None,
    });
    let mut found = [named(&dict)].into_iter().chain(inner).filter(|tensors| !tensors.is_empty());
    found.next().ok_or_else(|| "its table has no tensors".into())
}

/// The elements of a tensor, row-major; `None` if it reaches beyond its storage, or shows its elements more than once.
fn gather(view: &TensorView, storage: &[u8]) -> Option<Vec<u8>> {
    let TensorView { shape, strides, offset, .. } = view;
    let width = view.storage.dtype.bitsize() / 8;
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
    if shape.len() != strides.len() || count.checked_mul(width)? > storage.len() {
        return None;
    }
    if count == 0 {
        return Some(vec![]);
    }
    let mut places = vec![*offset];
    for (&size, &stride) in shape.iter().zip(strides) {
        let step = |&place: &usize| (0..size).map(move |index| index.checked_mul(stride)?.checked_add(place));
        places = places.iter().flat_map(step).collect::<Option<_>>()?;
    }
    let element = |&place: &usize| storage.get(place.checked_mul(width)?..)?.get(..width);
    Some(places.iter().map(element).collect::<Option<Vec<&[u8]>>>()?.concat())
}
