//! Files that PyTorch wrote, `golden/*.pth`, hold what PyTorch put there; `scripts/goldens/pytorch_files.py` made them.

use std::path::PathBuf;

use gyrus_checkpoint::{CheckpointError, StoredDType, load_fitting, open_weights};
use gyrus_tensor::{Tensor, bf16};
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn reason(name: &str) -> String {
    match open_weights(golden(name)) {
        Err(CheckpointError::Pytorch { reason, .. }) => reason,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn both_formats_hold_the_same_tensors() {
    let expected: Value = serde_json::from_slice(&std::fs::read(golden("pytorch_files.json")).unwrap()).unwrap();
    let expected = expected["tensors"].as_object().unwrap();
    for file in ["archive.pth", "stream.pth"] {
        let weights = open_weights(golden(file)).unwrap();
        assert_eq!(weights.tensors().count(), expected.len(), "{file}");
        for (name, expected) in expected {
            let tensor = weights.tensor(name).unwrap_or_else(|| panic!("{file}: no {name}"));
            let dtype = match expected["dtype"].as_str().unwrap() {
                "float32" => StoredDType::F32,
                "float64" => StoredDType::F64,
                "float16" => StoredDType::F16,
                "bfloat16" => StoredDType::BF16,
                "int64" => StoredDType::I64,
                "uint8" => StoredDType::U8,
                "bool" => StoredDType::BOOL,
                other => panic!("{other}"),
            };
            let numbers = |value: &Value| -> Vec<u64> {
                value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
            };
            let shape: Vec<u64> = tensor.shape.iter().map(|&size| size as u64).collect();
            let bytes: Vec<u64> = tensor.data.iter().map(|&byte| byte as u64).collect();
            assert_eq!(tensor.dtype, dtype, "{file}: {name}");
            assert_eq!((shape, bytes), (numbers(&expected["shape"]), numbers(&expected["bytes"])), "{file}: {name}");
        }
    }
}

#[test]
fn the_state_dict_within_what_a_program_saved_is_found() {
    let weights = open_weights(golden("program.pth")).unwrap();
    assert_eq!(weights.tensors().map(|tensor| tensor.name).collect::<Vec<_>>(), ["weight"]);
    assert_eq!(weights.tensor("weight").unwrap().data, [1.0f32, 2.0].map(f32::to_le_bytes).concat());
}

#[test]
fn nothing_is_called() {
    for file in ["call_archive.pth", "call_stream.pth"] {
        let reason = reason(file);
        assert!(reason.contains("print"), "{file}: {reason}");
    }
}

/// Whatever is missing at the end, and whichever byte is another one, gives an error or tensors, never a panic.
#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["archive.pth", "stream.pth"] {
        let bytes = std::fs::read(golden(file)).unwrap();
        let damaged = folder.path().join(file);
        for length in (16..bytes.len()).step_by(29) {
            std::fs::write(&damaged, &bytes[..length]).unwrap();
            assert!(open_weights(&damaged).is_err(), "{file}: {length} of {} bytes", bytes.len());
        }
        for index in (0..bytes.len()).step_by(3) {
            let mut bytes = bytes.clone();
            bytes[index] ^= 0x81;
            std::fs::write(&damaged, &bytes).unwrap();
            let _ = open_weights(&damaged);
        }
    }
}

#[test]
fn what_fits_is_taken_and_the_rest_is_named() {
    let weights = open_weights(golden("archive.pth")).unwrap();
    let zeros = |shape: &[usize]| Tensor::zeros(shape, gyrus_tensor::DType::F32);
    // Paths of a vector are its indices, which the file does not have.
    let mut module = vec![zeros(&[2])];
    let fitting = load_fitting(&weights, &mut module);
    assert_eq!((fitting.num_taken, fitting.rest.missing), (0, vec!["0".to_owned()]));
    assert_eq!(module[0].to_vec::<f32>(), [0.0, 0.0]);

    let mut layer = Named { name: "layer.weight", tensor: zeros(&[4, 6]) };
    let fitting = load_fitting(&weights, &mut layer);
    assert_eq!((fitting.num_taken, fitting.rest.unexpected.len()), (1, 9));
    assert_eq!(layer.tensor.to_vec::<f32>()[9], 9.0 / 8.0);

    let mut wrong = Named { name: "layer.weight", tensor: zeros(&[6, 4]) };
    let fitting = load_fitting(&weights, &mut wrong);
    assert_eq!((fitting.num_taken, fitting.rest.misshapen.len()), (0, 1));

    let brain = Tensor::from_slice([2], &[bf16::from_f32(0.0); 2]);
    let mut brain = Named { name: "brain", tensor: brain };
    assert_eq!(load_fitting(&weights, &mut brain).num_taken, 1);
    assert_eq!(brain.tensor.to_vec::<bf16>(), [1.0, -3.0].map(bf16::from_f32));
}

/// One tensor under a path.
struct Named {
    name: &'static str,
    tensor: Tensor,
}

impl gyrus_tensor::Module for Named {
    fn walk(&self, path: &mut gyrus_tensor::Path, visit: gyrus_tensor::Visit) {
        path.within(self.name, |path| self.tensor.walk(path, visit));
    }

    fn walk_mut(&mut self, path: &mut gyrus_tensor::Path, visit: gyrus_tensor::VisitMut) {
        path.within(self.name, |path| self.tensor.walk_mut(path, visit));
    }
}
