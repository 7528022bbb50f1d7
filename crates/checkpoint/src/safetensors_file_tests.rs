use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use safetensors::tensor::TensorView;

use super::*;

fn bytes_of(tensors: &[StoredTensor<'_>], metadata: &[(&str, &str)]) -> Vec<u8> {
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut bytes = Vec::new();
    write_safetensors(&mut bytes, tensors, &metadata).unwrap();
    bytes
}

fn example() -> Vec<u8> {
    let weight = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
    let step = 7i64.to_le_bytes();
    let tensors = [
        StoredTensor { name: "weight", dtype: StoredDType::F32, shape: &[2, 3], data: &weight },
        StoredTensor { name: "bias", dtype: StoredDType::F32, shape: &[0], data: &[] },
        StoredTensor { name: "mask", dtype: StoredDType::BOOL, shape: &[3], data: &[1, 0, 1] },
        StoredTensor { name: "step", dtype: StoredDType::I64, shape: &[], data: &step },
    ];
    bytes_of(&tensors, &[("epoch", "3"), ("gyrus", "0.1.0"), ("task", "image_classification")])
}

fn message(bytes: &[u8]) -> String {
    SafetensorsFile::from_bytes("run/model.safetensors", bytes.to_vec()).unwrap_err().to_string()
}

#[test]
fn saves_and_loads_through_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let data = [0.5f32.to_le_bytes(), 1.5f32.to_le_bytes()].concat();
    let tensor = StoredTensor { name: "a.b", dtype: StoredDType::F32, shape: &[2, 1], data: &data };
    let metadata = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    save_safetensors(&path, &[tensor], &metadata).unwrap();
    let file = SafetensorsFile::open(&path).unwrap();
    assert_eq!(file.tensors().collect::<Vec<_>>(), [tensor]);
    assert_eq!((file.metadata(), file.tensor("a")), (&metadata, None));
}

#[test]
fn the_bytes_are_those_of_the_reference_implementation() {
    let data = [3u8; 24];
    let tensors =
        [("b", StoredDType::F32, vec![6]), ("a", StoredDType::F32, vec![2, 3]), ("c", StoredDType::I64, vec![3])];
    let views =
        tensors.iter().map(|(name, dtype, shape)| (*name, TensorView::new(*dtype, shape.clone(), &data).unwrap()));
    let metadata = HashMap::from([("epoch".to_owned(), "3 \"of\" 4".to_owned())]);
    let reference = safetensors::serialize(views, Some(metadata)).unwrap();
    let stored: Vec<_> =
        tensors.iter().map(|(name, dtype, shape)| StoredTensor { name, dtype: *dtype, shape, data: &data }).collect();
    assert_eq!(bytes_of(&stored, &[("epoch", "3 \"of\" 4")]), reference);
}

#[test]
fn every_cut_is_reported_as_such() {
    let whole = example();
    let header_end = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    for length in 9..whole.len() {
        let text = message(&whole[..length]);
        assert!(text.contains("run/model.safetensors") && text.contains("cut short"), "{length}: {text}");
        let expected = if length < header_end { header_end } else { whole.len() };
        assert!(text.contains(&format!("{length} bytes where its header promises {expected}")), "{text}");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(message(&longer).contains("more than the tensors"));
}

#[test]
fn other_files_are_not_safetensors() {
    let pickle = b"PK\x03\x04\x14\x00\x00\x08\x08\x00 and more of a zip archive";
    let mut broken = example();
    broken[9] = b'?';
    for bytes in [&b""[..], b"abc", pickle, &broken] {
        let text = message(bytes);
        assert!(text.contains("not a safetensors file"), "{text}");
    }
}

#[test]
fn every_difference_to_the_model_is_named() {
    let file = SafetensorsFile::from_bytes("run/model.safetensors", example()).unwrap();
    let expected =
        |name: &str, dtype, shape: &[usize]| Expected { name: name.to_owned(), dtype, shape: shape.to_vec() };
    let mut wanted = vec![
        expected("weight", StoredDType::F32, &[2, 3]),
        expected("bias", StoredDType::F32, &[0]),
        expected("mask", StoredDType::BOOL, &[3]),
        expected("step", StoredDType::I64, &[]),
    ];
    file.check(&wanted).unwrap();
    wanted[0].shape = vec![3, 2];
    wanted[1].dtype = StoredDType::F16;
    wanted[2].name = "gate".to_owned();
    let text = file.check(&wanted).unwrap_err().to_string();
    let all = "1 missing (`gate`), 1 unexpected (`mask`), \
               2 misshapen (`weight` is f32 [2, 3], not f32 [3, 2], `bias` is f32 [0], not f16 [0])";
    assert!(text.contains("run/model.safetensors") && text.contains(all), "{text}");
}

#[test]
fn of_many_names_a_few_are_shown() {
    let mismatch = Mismatch { missing: (0..7).map(|i| format!("w{i}")).collect(), ..Default::default() };
    assert_eq!(mismatch.to_string(), "7 missing (`w0`, `w1`, `w2`, `w3`, `w4` and 2 more)");
}

#[test]
#[should_panic(expected = "tensor `w`, f32 [2], has 4 bytes: it must have 8")]
fn bytes_must_match_the_shape() {
    bytes_of(&[StoredTensor { name: "w", dtype: StoredDType::F32, shape: &[2], data: &[0; 4] }], &[]);
}

#[test]
#[should_panic(expected = "two tensors are named `w`")]
fn names_must_be_unique() {
    let tensor = |dtype| StoredTensor { name: "w", dtype, shape: &[1], data: &[0; 4] };
    bytes_of(&[tensor(StoredDType::F32), tensor(StoredDType::I32)], &[]);
}

proptest! {
    #[test]
    fn any_order_gives_the_same_bytes_and_loads_the_same(
        tensors in proptest::collection::btree_map("[a-z.\"é]{0,6}", proptest::collection::vec(any::<u8>(), 0..9), 0..6),
        metadata in proptest::collection::btree_map("[a-z]{1,4}", ".{0,8}", 0..4),
        rotation in 0usize..6,
    ) {
        let shapes: Vec<[usize; 1]> = tensors.values().map(|data| [data.len()]).collect();
        let mut stored: Vec<_> = tensors.iter().zip(&shapes)
            .map(|((name, data), shape)| StoredTensor { name, dtype: StoredDType::U8, shape, data })
            .collect();
        let mut bytes = Vec::new();
        write_safetensors(&mut bytes, &stored, &metadata).unwrap();
        let file = SafetensorsFile::from_bytes("f", bytes.clone()).unwrap();
        prop_assert_eq!(file.tensors().collect::<Vec<_>>(), stored.clone());
        prop_assert_eq!(file.metadata(), &metadata);
        let length = stored.len();
        stored.rotate_left(rotation.min(length));
        let mut again = Vec::new();
        write_safetensors(&mut again, &stored, &metadata).unwrap();
        prop_assert_eq!(again, bytes);
    }
}
