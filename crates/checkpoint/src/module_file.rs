use std::collections::BTreeMap;
use std::io::{self, Write};

use gyrus_tensor::{DType, Module, Path, Tensor, bf16, f16};

use crate::{CheckpointError, Expected, Mismatch, SafetensorsFile, StoredDType, StoredTensor, write_safetensors};

/// Writes the tensors of a module, by their paths, in the safetensors format.
///
/// # Errors
/// Those of the writer.
///
/// ```
/// use gyrus_checkpoint::{SafetensorsFile, load_module, write_module};
/// use gyrus_tensor::Tensor;
///
/// let model = vec![Tensor::from_slice([2], &[1.0f32, 2.0])];
/// let mut bytes = vec![];
/// write_module(&mut bytes, &model, &Default::default())?;
///
/// let mut other = vec![Tensor::from_slice([2], &[0.0f32, 0.0])];
/// load_module(&SafetensorsFile::from_bytes("model.safetensors", bytes)?, &mut other)?;
/// assert_eq!(other[0].to_vec::<f32>(), [1.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_module(
    file: &mut dyn Write,
    module: &(impl Module + ?Sized),
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    let tensors = module.named_tensors();
    gyrus_tensor::evaluate(tensors.iter().map(|(_, _, tensor)| tensor));
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, _, tensor)| tensor.read_bytes(<[u8]>::to_vec)).collect();
    let stored: Vec<StoredTensor> = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, _, tensor), data)| StoredTensor {
            name,
            dtype: stored_type(tensor.dtype()),
            shape: tensor.shape(),
            data,
        })
        .collect();
    write_safetensors(file, &stored, metadata)
}

/// Replaces the tensors of a module by those of a file, which must have exactly the same, by name, shape and
/// element type.
///
/// # Errors
/// [`CheckpointError::Tensors`], naming all that differ; the module is then as it was.
pub fn load_module(file: &SafetensorsFile, module: &mut (impl Module + ?Sized)) -> Result<(), CheckpointError> {
    file.check(&expected(module))?;
    load_fitting(file, module);
    Ok(())
}

/// What [`load_fitting`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitting {
    /// How many tensors were taken.
    pub num_taken: usize,
    /// How the rest differs.
    pub rest: Mismatch,
}

/// Replaces those tensors of a module that a file has too, by name, shape and element type; the others stay as they are.
/// It is how a model starts from the weights of another one.
pub fn load_fitting(file: &SafetensorsFile, module: &mut (impl Module + ?Sized)) -> Fitting {
    let rest = file.difference(&expected(module));
    let mut num_taken = 0;
    module.walk_mut(&mut Path::default(), &mut |path, _, tensor| {
        let fits =
            |stored: &StoredTensor| (stored.dtype, stored.shape) == (stored_type(tensor.dtype()), &tensor.shape()[..]);
        if let Some(stored) = file.tensor(path.as_str()).filter(fits) {
            *tensor = restored(stored.data, tensor);
            num_taken += 1;
        }
    });
    Fitting { num_taken, rest }
}

fn expected(module: &(impl Module + ?Sized)) -> Vec<Expected> {
    module
        .named_tensors()
        .into_iter()
        .map(|(name, _, tensor)| Expected { name, dtype: stored_type(tensor.dtype()), shape: tensor.shape().to_vec() })
        .collect()
}

/// The stored bytes as a tensor like another.
fn restored(bytes: &[u8], like: &Tensor) -> Tensor {
    macro_rules! by_type {
        ($($dtype:ident $type:ty, $size:literal;)*) => {
            match like.dtype() {
                DType::Bool => Tensor::from_slice(like.shape(), &bytes.iter().map(|&b| b != 0).collect::<Vec<bool>>()),
                $(DType::$dtype => {
                    let (elements, _) = bytes.as_chunks::<$size>();
                    let elements: Vec<$type> = elements.iter().map(|&bytes| <$type>::from_le_bytes(bytes)).collect();
                    Tensor::from_slice(like.shape(), &elements)
                })*
                other => unreachable!("{other} has no stored form"),
            }
        };
    }
    by_type! { U8 u8, 1; I32 i32, 4; I64 i64, 8; F16 f16, 2; BF16 bf16, 2; F32 f32, 4; F64 f64, 8; }
}

fn stored_type(dtype: DType) -> StoredDType {
    match dtype {
        DType::Bool => StoredDType::BOOL,
        DType::U8 => StoredDType::U8,
        DType::I32 => StoredDType::I32,
        DType::I64 => StoredDType::I64,
        DType::F16 => StoredDType::F16,
        DType::BF16 => StoredDType::BF16,
        DType::F32 => StoredDType::F32,
        DType::F64 => StoredDType::F64,
        other => unreachable!("{other} has no stored form"),
    }
}
